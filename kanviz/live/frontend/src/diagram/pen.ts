/** Two ways to draw the same picture: on a canvas, or as SVG elements. */

export interface Stroke {
  color: string;
  /** In pixels of the screen, however far the picture is zoomed in. */
  width: number;
  dash?: string;
  round?: boolean;
}

export interface Pen {
  /** Draws an outline given as an SVG path text; filled where `fill` is a colour. */
  shape(d: string, stroke: Stroke | null, fill?: string): void;
  /** Draws a line through points x, y, x, y ... */
  line(points: Float64Array, stroke: Stroke): void;
  /** Draws dots at points, each `radius` pixels of the screen. */
  dots(points: Float64Array, radius: number, color: string): void;
}

export interface Camera {
  scale: number;
  x: number;
  y: number;
}

export class CanvasPen implements Pen {
  readonly #paths = new Map<string, Path2D>();
  private scale = 1;

  constructor(private readonly context: CanvasRenderingContext2D) {}

  /** Clears the canvas and begins a picture; `ratio` is that of canvas pixels to the screen's. */
  begin(camera: Camera, ratio: number): void {
    const { context } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    const scale = camera.scale * ratio;
    context.setTransform(scale, 0, 0, scale, camera.x * ratio, camera.y * ratio);
    context.lineJoin = "round";
    this.scale = camera.scale;
    if (this.#paths.size > 8000) this.#paths.clear();
  }

  shape(d: string, stroke: Stroke | null, fill?: string): void {
    const { context } = this;
    const path = this.#paths.get(d) ?? new Path2D(d);
    this.#paths.set(d, path);
    if (fill) {
      context.fillStyle = fill;
      context.fill(path);
    }
    if (!stroke) return;
    this.#use(stroke);
    context.stroke(path);
  }

  line(points: Float64Array, stroke: Stroke): void {
    const { context } = this;
    this.#use(stroke);
    context.beginPath();
    for (let at = 0; at < points.length; at += 2) context.lineTo(points[at], points[at + 1]);
    context.stroke();
  }

  dots(points: Float64Array, radius: number, color: string): void {
    const { context } = this;
    context.fillStyle = color;
    context.beginPath();
    for (let at = 0; at < points.length; at += 2) {
      context.moveTo(points[at] + radius / this.scale, points[at + 1]);
      context.arc(points[at], points[at + 1], radius / this.scale, 0, 2 * Math.PI);
    }
    context.fill();
  }

  #use(stroke: Stroke): void {
    const { context, scale } = this;
    context.strokeStyle = stroke.color;
    context.lineWidth = stroke.width / scale;
    context.lineCap = stroke.round ? "round" : "butt";
    context.setLineDash(
      stroke.dash ? stroke.dash.split(" ").map((part) => Number(part) / scale) : [],
    );
  }
}

const SVG = "http://www.w3.org/2000/svg";

interface Drawn {
  path: SVGPathElement;
  written: Map<string, string>;
  /** The line that it is, and its text. */
  points: Float64Array | null;
  d: string;
}

/** Draws into a group and keeps its paths from picture to picture: only what differs is written. */
export class SvgPen implements Pen {
  readonly #pool: Drawn[] = [];
  #used = 0;

  constructor(private readonly group: SVGGElement) {}

  begin(): void {
    this.#used = 0;
  }

  /** Takes away what the picture before had more. */
  end(): void {
    for (const { path } of this.#pool.splice(this.#used)) path.remove();
  }

  shape(d: string, stroke: Stroke | null, fill?: string): void {
    const drawn = this.#next();
    drawn.points = null;
    this.#put(drawn, d, stroke, fill);
  }

  #put({ path, written }: Drawn, d: string, stroke: Stroke | null, fill?: string): void {
    const put = (name: string, value: string): void => {
      if (written.get(name) === value) return;
      written.set(name, value);
      path.setAttribute(name, value);
    };
    put("d", d);
    put("fill", fill ?? "none");
    put("stroke", stroke?.color ?? "none");
    put("stroke-width", String(Math.round((stroke?.width ?? 0) * 100) / 100));
    put("stroke-dasharray", stroke?.dash ?? "none");
    put("stroke-linecap", stroke?.round ? "round" : "butt");
  }

  line(points: Float64Array, stroke: Stroke): void {
    const drawn = this.#next();
    if (drawn.points !== points) {
      drawn.points = points;
      drawn.d = through(points);
    }
    this.#put(drawn, drawn.d, stroke);
  }

  dots(points: Float64Array, radius: number, color: string): void {
    // A line of no length with a round end is a dot, and its size is that on the screen.
    let d = "";
    for (let at = 0; at < points.length; at += 2) {
      d += `M${points[at].toFixed(2)},${points[at + 1].toFixed(2)}h0`;
    }
    this.shape(d, { color, width: 2 * radius, round: true });
  }

  #next(): Drawn {
    if (this.#used === this.#pool.length) {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("vector-effect", "non-scaling-stroke");
      path.setAttribute("stroke-linejoin", "round");
      this.group.append(path);
      this.#pool.push({ path, written: new Map(), points: null, d: "" });
    }
    return this.#pool[this.#used++];
  }
}

/** The path through points x, y, x, y ..., to a thousandth of a pixel. */
function through(points: Float64Array): string {
  const parts: string[] = [];
  for (let at = 0; at < points.length; at += 2) {
    parts.push(
      `${Math.round(points[at] * 1000) / 1000},${Math.round(points[at + 1] * 1000) / 1000}`,
    );
  }
  return parts.length ? `M${parts.join("L")}` : "";
}
