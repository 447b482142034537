/** What the page does where scripts run: themes, sorting, filtering. Without them it says everything that it has to say. */

export const script = `(() => {
  const root = document.documentElement;
  const kept = { read() { try { return localStorage.getItem('mica-theme'); } catch { return null; } },
    write(theme) { try { localStorage.setItem('mica-theme', theme); } catch {} } };
  const start = kept.read();
  if (start === 'light' || start === 'dark') root.dataset.theme = start;
  document.addEventListener('DOMContentLoaded', () => {
    for (const tool of document.querySelectorAll('[data-tool]')) tool.hidden = false;
    const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark'
      : matchMedia('(prefers-color-scheme: dark)').matches;
    const theme = document.querySelector('[data-tool=theme]');
    const name = () => { theme.textContent = isDark() ? 'Light theme' : 'Dark theme'; };
    theme.addEventListener('click', () => {
      root.dataset.theme = isDark() ? 'light' : 'dark'; kept.write(root.dataset.theme); name();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', name);
    name();
    const all = document.querySelector('[data-tool=open]');
    if (all) all.addEventListener('click', () => {
      const parts = [...document.querySelectorAll('details.workload')];
      const open = parts.some((part) => !part.open);
      for (const part of parts) part.open = open;
      all.textContent = open ? 'Close all' : 'Open all';
    });
    const show = () => {
      const part = document.getElementById(location.hash.slice(1));
      if (part && part.tagName === 'DETAILS') part.open = true;
    };
    addEventListener('hashchange', show);
    show();
    const table = document.querySelector('table.workloads');
    if (!table) return;
    const body = table.tBodies[0];
    const count = document.querySelector('[data-count]');
    const filter = document.querySelector('[data-tool=filter] input');
    filter.addEventListener('input', () => {
      const wanted = filter.value.trim().toLowerCase();
      let shown = 0;
      for (const row of body.rows) {
        row.hidden = wanted !== '' && !row.textContent.toLowerCase().includes(wanted);
        if (!row.hidden) shown += 1;
      }
      count.textContent = shown + ' of ' + body.rows.length + ' shown';
    });
    const keyOf = (row, index) => {
      const cell = row.cells[index];
      return cell.dataset.v === undefined ? cell.textContent.trim() : cell.dataset.v === '' ? NaN : Number(cell.dataset.v);
    };
    const compare = (a, b) => typeof a === 'string' ? a.localeCompare(b)
      : Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : Number.isNaN(b) ? 1 : a - b;
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') === (head.className === 'number' ? null : 'ascending')
          || head.getAttribute('aria-sort') === 'ascending';
        for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const rows = [...body.rows].map((row) => [keyOf(row, index), row]);
        rows.sort((a, b) => down ? compare(b[0], a[0]) : compare(a[0], b[0]));
        body.replaceChildren(...rows.map(([, row]) => row));
      });
    });
  });
})();`;

/** SHA-256 of the script: the page runs this one and no other. A test holds the two together. */
export const scriptHash = 'sha256-Mw+wkcEf4/YM7SxVOCUddAAQFK0XqOo/feodEPEN2+Y=';
