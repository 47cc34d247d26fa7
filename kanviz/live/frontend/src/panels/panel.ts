/** What a panel of the right-hand column is; `panels/index.ts` lists them all. */
export interface Panel {
  /** One or two words for its tab. */
  title: string;
  element: HTMLElement;
  /** Ends every listener and timer that the panel started. */
  destroy(): void;
  /** Its tab opens by itself when an edge gets selected, or when the probe opens. */
  opensOn?: "selected" | "probe";
}
