/** What the user may say about the GKE cluster that the node pools go into. */

export interface GkeOptions {
  readonly project?: string;
  readonly cluster?: string;
  /** The cluster's zone or region. */
  readonly location?: string;
  /** For a cluster in a region: the zone of the GPU nodes. A region would give as many nodes in each of its zones. */
  readonly nodeZone?: string;
  /**
   * How the API spells the attribute of a size: `1g.24gb.gfx` or `1g.24gb+gfx`. Two public sources disagree, so
   * plans with attribute profiles are refused until the user says.
   */
  readonly attributeSpelling?: '.' | '+';
}
