/** Stops with a plain sentence on a Node that is too old, before anything newer is loaded. Import it first. */

// Kept equal to `engines` of package.json by a test; read from there it would cost every start a file.
const oldest = [20, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(
    `mica: this is Node ${process.versions.node} (${process.execPath}); Mica needs ${oldest.join('.')} or newer.\n` +
      'What to do: install a newer Node from https://nodejs.org or with your version manager, then run this again.\n',
  );
  process.exit(3);
}
