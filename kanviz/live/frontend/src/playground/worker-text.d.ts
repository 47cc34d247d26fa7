/** The worker as the text of a script, as build.mjs makes it. */
declare module "*?worker" {
  const text: string;
  export default text;
}
