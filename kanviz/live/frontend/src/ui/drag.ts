/** Drags with a mouse, a finger or a pen: a pointer holds an element from its press until it lets go. */

export interface Drag {
  /** Called with each move of the pointer. */
  move(event: PointerEvent): void;
  /** Called once: the pointer let go, or the browser took it away. */
  end?(wasCancelled: boolean): void;
}

/**
 * Lets a pointer that presses `element` hold it; returns what ends that early.
 *
 * @param slack Pixels that the pointer moves before its press is a drag; until then it may become a
 *   click, and other elements see the pointer.
 */
export function hold(element: Element, press: PointerEvent, drag: Drag, slack = 0): () => void {
  let isDrag = false;
  const begin = (): void => {
    isDrag = true;
    press.preventDefault();
    element.setPointerCapture?.(press.pointerId);
  };
  const move = (event: Event): void => {
    const now = event as PointerEvent;
    if (now.pointerId !== press.pointerId) return;
    if (!isDrag && Math.hypot(now.clientX - press.clientX, now.clientY - press.clientY) > slack)
      begin();
    if (isDrag) drag.move(now);
  };
  const end = (event: Event): void => {
    if ((event as PointerEvent).pointerId !== press.pointerId) return;
    letGo();
    drag.end?.(event.type === "pointercancel");
  };
  const listeners = { pointermove: move, pointerup: end, pointercancel: end };
  const letGo = (): void => {
    for (const [type, f] of Object.entries(listeners)) element.removeEventListener(type, f);
  };
  for (const [type, f] of Object.entries(listeners)) element.addEventListener(type, f);
  if (slack === 0) begin();
  return letGo;
}

/** Lets `element` be dragged by the main button; `start` says how, or null for a press of no use. */
export function draggable<E extends HTMLElement | SVGElement>(
  element: E,
  start: (press: PointerEvent) => Drag | null,
): void {
  element.addEventListener("pointerdown", (event) => {
    const press = event as PointerEvent;
    const drag = press.button === 0 ? start(press) : null;
    if (drag) hold(element, press, drag);
  });
}
