/** What a server says about itself: one line each. */

export type ServerEvent =
  | { readonly kind: 'started'; readonly socket: string; readonly pid: number }
  | { readonly kind: 'stopped'; readonly why: string }
  | {
      readonly kind: 'granted';
      readonly tenant: string | null;
      readonly lease: string;
      readonly pid: number;
      readonly slices: readonly string[];
      readonly command: readonly string[];
    }
  | { readonly kind: 'released'; readonly tenant: string | null; readonly lease: string }
  | { readonly kind: 'ended'; readonly tenant: string | null; readonly lease: string }
  | {
      readonly kind: 'reclaimed';
      readonly tenant: string | null;
      readonly lease: string;
      readonly pid: number;
    }
  | { readonly kind: 'quarantined'; readonly slice: string; readonly why: string }
  | { readonly kind: 'reopened'; readonly slice: string }
  | { readonly kind: 'tenant'; readonly name: string; readonly what: string }
  | {
      readonly kind: 'refused';
      readonly pid: number | null;
      readonly uid: number | null;
      readonly why: string;
    }
  | { readonly kind: 'failed'; readonly why: string };

export type Log = (event: ServerEvent) => void;
