/**
 * Bundles the front end into kanviz/live/static: equal sources give equal bytes.
 *
 *   node build.mjs              the committed bundles
 *   node build.mjs --out DIR    the same bundles somewhere else, to compare
 *   node build.mjs --tests      the unit tests, for node --test
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const [mode, where] = process.argv.slice(2);

/** The live diagram, the teaching widgets of the course, the playground: script and style sheet. */
const ENTRIES = {
  explorer: ["src/index.ts", "src/explorer.css"],
  teaching: ["src/course/index.ts", "src/course/course.css"],
  playground: ["src/playground/index.ts", "src/playground/playground.css"],
};

/** What all bundles have in common: nothing in them depends on this machine. */
const COMMON = {
  absWorkingDir: here,
  bundle: true,
  minify: !process.env.DEV,
  charset: "utf8",
  // Names of ours in all parts, never of the browser or of Python: shortened like private ones.
  mangleProps: /^(store|element)$/,
  target: "es2022",
  legalComments: "none",
  loader: { ".woff2": "dataurl" },
};

/** "./worker?worker" is a script as text, which a page from a file starts as a blob. */
const workers = {
  name: "workers",
  setup(plugin) {
    plugin.onResolve({ filter: /\?worker$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace("?worker", ".ts")),
      namespace: "worker",
    }));
    plugin.onLoad({ filter: /./, namespace: "worker" }, async ({ path }) => {
      const made = await build({ ...COMMON, entryPoints: [path], format: "iife", write: false });
      return { contents: made.outputFiles[0].text, loader: "text" };
    });
  },
};

/** An ES module and a style sheet for each. */
async function bundle(directory) {
  const common = { ...COMMON, plugins: [workers] };
  for (const [name, [script, sheet]] of Object.entries(ENTRIES)) {
    const outfile = (kind) => join(directory, `${name}.${kind}`);
    await build({ ...common, entryPoints: [script], format: "esm", outfile: outfile("js") });
    await build({ ...common, entryPoints: [sheet], outfile: outfile("css") });
  }
}

/** Two files, since each is a process: making a document takes longer than most of its tests. */
async function tests() {
  const outdir = join(here, ".tests");
  rmSync(outdir, { recursive: true, force: true });
  const names = readdirSync(join(here, "test")).filter((name) => name.endsWith(".test.ts"));
  const wantsDocument = (name) =>
    readFileSync(join(here, "test", name), "utf8").includes('from "./panels-dom"');
  for (const [kind, files] of [
    ["with_document", names.filter(wantsDocument)],
    ["without_document", names.filter((name) => !wantsDocument(name))],
  ]) {
    await build({
      absWorkingDir: here,
      stdin: {
        contents: files.map((name) => `import "./${name}";`).join("\n"),
        resolveDir: join(here, "test"),
      },
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      plugins: [workers],
      outfile: join(outdir, `${kind}.test.mjs`),
    });
  }
}

if (mode === "--tests") await tests();
else await bundle(mode === "--out" ? where : join(here, "../static"));
