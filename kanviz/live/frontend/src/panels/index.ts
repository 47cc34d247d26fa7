/** All panels, in the order of their tabs. */

import type { Store } from "../store";
import { diagnosisPanel } from "./diagnosis";
import { editorPanel } from "./editor";
import { historyPanel } from "./history";
import { type ExportSvg, outPanel } from "./out";
import { overviewPanel } from "./overview";
import type { Panel } from "./panel";
import { probePanel } from "./probe";
import { simplifyPanel } from "./simplify";
import { trainingPanel } from "./training";

export { keyHelp } from "./keys";
export type { Panel } from "./panel";

/** Makes the panels; those that need a kernel are left out where there is none. */
export function panels(store: Store, exportSvg: ExportSvg): Panel[] {
  const live = store.local ? [] : [trainingPanel(store), simplifyPanel(store)];
  return [
    overviewPanel(store),
    ...live,
    editorPanel(store),
    probePanel(store),
    ...(store.scene.peek().target.length ? [diagnosisPanel(store)] : []),
    historyPanel(store),
    outPanel(store, exportSvg),
  ];
}
