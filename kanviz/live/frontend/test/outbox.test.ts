/** Requests: few at once, in order, of a drag only the newest. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ask, Request } from "../src/contract";
import { Outbox } from "../src/outbox";

function make(places = 3): {
  box: Outbox;
  sent: Request[];
  answer(): void;
  state: { patient: boolean };
} {
  const sent: Request[] = [];
  const state = { patient: false };
  let seq = 0;
  let answered = 0;
  const wire = {
    send: (request: Request) => void sent.push(request),
    taken: () => 0,
    isPatient: () => state.patient,
    changed: () => undefined,
  };
  const box = new Outbox(wire, places, () => ++seq);
  const answer = (): void =>
    void box.reply({ seq: sent[answered++].seq, ok: true, value: answered });
  return { box, sent, answer, state };
}

const move = (height: number, drag = 1): Ask => ({
  type: "move_point",
  edge: [0, 0, 0],
  m: 2,
  height,
  drag,
});

test("at most three requests are on their way, and of a drag the newest waits", () => {
  const { box, sent, answer } = make();
  for (let height = 0; height < 10; height++) void box.push(move(height));
  assert.equal(sent.length, 3);
  answer();
  assert.equal(sent.length, 4);
  assert.equal((sent[3] as { height?: number }).height, 9);
  box.close();
});

test("a request that cannot be replaced keeps its place between two drags", () => {
  const { box, sent, answer } = make(1);
  void box.push(move(0));
  void box.push(move(1));
  void box.push({ type: "undo" });
  void box.push(move(2, 2));
  for (let n = 0; n < 3; n++) answer();
  assert.deepEqual(
    sent.map((request) => request.type),
    ["move_point", "move_point", "undo", "move_point"],
  );
  box.close();
});

test("those who asked for what was replaced get the answer to the newest", async () => {
  const { box, answer } = make(1);
  const answers = [box.push(move(0)), box.push(move(1)), box.push(move(2))];
  answer();
  answer();
  assert.deepEqual(await Promise.all(answers), [1, 2, 2]);
});

test("a refusal reaches the one who asked", async () => {
  const { box, sent } = make();
  const asked = box.push({ type: "undo" });
  box.reply({ seq: sent[0].seq, ok: false, error: "There is nothing to undo." });
  await assert.rejects(asked, /nothing to undo/);
});

test("a reply to somebody else's request is left alone", () => {
  const { box } = make();
  assert.equal(box.reply({ seq: 99, ok: true, value: null }), false);
});

test("without an answer an idle kernel counts as busy, and the next request goes out", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { box, sent, answer } = make(1);
  void box.push(move(0));
  void box.push({ type: "undo" });
  t.mock.timers.tick(1400);
  assert.equal(box.overdue, false);
  t.mock.timers.tick(200);
  assert.equal(box.overdue, true);
  assert.equal(sent.length, 2);
  answer();
  answer();
  assert.equal(box.overdue, false);
});

test("while a fit runs nothing is overdue", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { box, state } = make(1);
  state.patient = true;
  void box.push(move(0));
  t.mock.timers.tick(5000);
  assert.equal(box.overdue, false);
  box.close();
});
