/** Who listens to what. */
export class Emitter<Event extends string> {
  private readonly listeners = new Map<Event, Set<() => void>>();

  /** Calls `f` after each such event; returns the function that ends it. */
  on(event: Event, f: () => void): () => void {
    const heard = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, heard);
    // Wrapped, so that one function may listen twice.
    const call = (): void => f();
    heard.add(call);
    return () => heard.delete(call);
  }

  emit(event: Event): void {
    for (const call of [...(this.listeners.get(event) ?? [])]) call();
  }

  clear(): void {
    this.listeners.clear();
  }
}
