/**
 * Bundles the front end into kanviz/views/static: equal sources give equal bytes.
 *
 *   node build.mjs              the committed bundle
 *   node build.mjs --out DIR    the same bundle somewhere else, to compare
 *   node build.mjs --tests      the unit tests, for node --test
 */
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const [mode, where] = process.argv.slice(2);

/** One ES module and one style sheet, with nothing in them that depends on this machine. */
async function bundle(directory) {
  const common = {
    bundle: true,
    minify: !process.env.DEV,
    target: "es2022",
    legalComments: "none",
  };
  const outfile = (name) => join(directory, name);
  await build({
    ...common,
    absWorkingDir: here,
    entryPoints: ["src/index.ts"],
    format: "esm",
    outfile: outfile("explorer.js"),
  });
  await build({
    ...common,
    absWorkingDir: here,
    entryPoints: ["src/explorer.css"],
    outfile: outfile("explorer.css"),
  });
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
