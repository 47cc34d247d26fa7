/**
 * Fits laws of the playground's list as the page does, by their numbers on the command line, and
 * prints the rows and the error of each as JSON: what `python -m accuracy.playground` compares with.
 */

import { fit } from "../src/math/fit";
import { PlaygroundDesk } from "../src/playground/desk";
import { LAWS } from "../src/playground/laws";
import { PLAIN, rangeAndShape } from "../src/playground/lesson";
import { errorOf } from "../src/playground/scene";
import type { Order } from "../src/playground/worker";

const told: Order[] = [];
const worker = { postMessage: (order: Order) => told.push(order) } as never;

for (const law of process.argv.slice(2).map((n) => LAWS[Number(n)])) {
  const lesson = { ...PLAIN, ...rangeAndShape(law) };
  const desk = new PlaygroundDesk(lesson, worker, () => undefined);
  desk.train();
  const order = told.at(-1) as Extract<Order, { type: "train" }>;
  const began = process.cpuUsage();
  const ran = fit(order.layers, order.rows, order.options);
  let next = ran.next();
  while (!next.done) next = ran.next();
  const { user, system } = process.cpuUsage(began);
  const { train, test, ...units } = desk.data.peek();
  const { x_shift, x_scale, y_shift, y_scale } = units;
  const recipe = { layers: next.value, x_shift, x_scale, y_shift, y_scale };
  const table = (part: typeof train) => ({ x: [...part.x], y: [...part.y] });
  console.log(
    JSON.stringify({
      formula: law.formula,
      widths: law.widths,
      train: table(train),
      test: table(test),
      error: errorOf(recipe, desk.data.peek()).test,
      seconds: (user + system) / 1e6,
    }),
  );
}
