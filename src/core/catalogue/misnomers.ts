/** Profile names that people meet in lists for a card and that the card does not have: why, and what to use. */
import { cite, type SourceId } from './sources.js';

export interface Misnomer {
  /** Catalogue keys of the cards that it is listed for. */
  readonly models: readonly string[];
  readonly name: string;
  readonly why: string;
  readonly instead: readonly string[];
  readonly sources: readonly SourceId[];
}

const preProduction =
  'pre-production boards had this name, and the default configuration of mig-parted still lists it';

export const misnomers: readonly Misnomer[] = [
  {
    models: [
      'rtx-pro-6000-blackwell-server',
      'rtx-pro-6000-blackwell-workstation',
      'rtx-pro-6000-blackwell-maxq',
    ],
    name: '3g.72gb',
    why: 'it is sometimes listed for this card but exists on no driver; only the GH200 144GB has a profile of that name',
    instead: ['2g.48gb', '4g.96gb'],
    sources: cite('docs-profiles', 'rtx-server-lifecycle', 'mig-parted-config', 'operator-notes'),
  },
  {
    models: ['a30-24gb'],
    name: '3g.24gb',
    why: 'an emulated A30 of InstaSlice lists it, no real one does',
    instead: ['2g.12gb', '4g.24gb'],
    sources: cite('instaslice', 'a30-lab'),
  },
  {
    models: ['a100-80gb'],
    name: '3g.39gb',
    why: 'it is what drivers 535 and 545 made of 3g.40gb, by rounding its memory down',
    instead: ['3g.40gb'],
    sources: cite('mig-parted-31'),
  },
  ...[
    { name: '1g.24gb', instead: ['1g.23gb'] },
    { name: '3g.95gb', instead: ['3g.93gb'] },
    { name: '4g.95gb', instead: ['4g.93gb'] },
    { name: '7g.189gb', instead: ['7g.186gb'] },
  ].map(({ name, instead }) => ({
    models: ['gb200-186gb'],
    name,
    why: preProduction,
    instead,
    sources: cite('operator-1303', 'mig-parted-config'),
  })),
];
