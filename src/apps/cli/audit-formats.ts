/** The formats of an audit's report. */
export const auditFormats = ['table', 'json', 'yaml', 'csv', 'markdown', 'html'] as const;

export type AuditFormat = (typeof auditFormats)[number];
