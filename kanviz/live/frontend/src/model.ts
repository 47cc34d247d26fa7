/** What a notebook (or a page) gives us of the widget's model. */
export interface Model {
  get(name: string): unknown;
  on(event: string, f: (...args: never[]) => void): void;
  off(event: string, f: (...args: never[]) => void): void;
  send(message: unknown): void;
}
