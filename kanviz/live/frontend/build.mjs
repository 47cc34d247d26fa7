/**
 * Bundles the front end into kanviz/live/static: equal sources give equal bytes.
 *
 *   node build.mjs              the committed bundles
 *   node build.mjs --out DIR    the same bundles somewhere else, to compare
 *   node build.mjs --tests      the unit tests, for node --test
 */
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const [mode, where] = process.argv.slice(2);

/** The live diagram, and the teaching widgets of the course: each a script and a style sheet. */
const ENTRIES = {
  explorer: ["src/index.ts", "src/explorer.css"],
  teaching: ["src/course/index.ts", "src/course/course.css"],
};

/** An ES module and a style sheet for each, with nothing in them that depends on this machine. */
async function bundle(directory) {
  const common = {
    absWorkingDir: here,
    bundle: true,
    minify: !process.env.DEV,
    target: "es2022",
    legalComments: "none",
  };
  for (const [name, [script, sheet]] of Object.entries(ENTRIES)) {
    const outfile = (kind) => join(directory, `${name}.${kind}`);
    await build({ ...common, entryPoints: [script], format: "esm", outfile: outfile("js") });
    await build({ ...common, entryPoints: [sheet], outfile: outfile("css") });
  }
}

async function tests() {
  const outdir = join(here, ".tests");
  rmSync(outdir, { recursive: true, force: true });
  const files = readdirSync(join(here, "test")).filter((name) => name.endsWith(".test.ts"));
  await build({
    absWorkingDir: here,
    entryPoints: files.map((name) => `test/${name}`),
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outdir,
    outExtension: { ".js": ".mjs" },
  });
}

if (mode === "--tests") await tests();
else await bundle(mode === "--out" ? where : join(here, "../static"));
