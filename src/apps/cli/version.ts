/** The version of Mica, kept equal to package.json by a test: reading that file would cost every start. */
export const version = '0.1.0';
