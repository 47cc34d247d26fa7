// Written by `python -m kanviz.live.tokens` from kanviz/layout: change the numbers there.

/** Strength of an edge of score 0 beside stronger ones: pale, yet there. */
export const FAINTEST = 0.25;
/** Edges drawn of a larger network: few enough that each curve can be read. */
export const SELECTED = 200;
/** Edges for which a layer is twice as high as one of few; up to `SELECTED` it goes on so. */
export const DOUBLE = 160;

/** Distance of two layers with few edges between them; lengths are in pixels. */
export const RISE = 158;
/** Part of the width that every layer is higher. */
export const SLOPE = 0.05;
/** Radius of a node where there is room. */
export const NODE = 5.5;
/** Largest radius of a node as a part of the room that it has in its row. */
export const NODE_SHARE = 0.24;
/** Radius of a node in a row of very many. */
export const SMALLEST_NODE = 0.8;
/** Free margin at the left and the right. */
export const SIDE = 22;
/** Free margin above the labels of the outputs and below those of the inputs. */
export const RIM = 10;
/** Side of a box where there is room. */
export const LARGEST = 200;
/** Height of a formula below its box. */
export const CAPTION = 20;
/** Part of the height between two rows of nodes that lines get, the rest being for boxes. */
export const LINES = 0.46;
/** The same where there are more than `MANY` boxes, which need the height. */
export const FEW_LINES = 0.36;
/** Most boxes of a layer whose lines get their full part of the height. */
export const MANY = 100;
/** Height for lines that is enough however high the band. */
export const ENOUGH = 150;
/** Part of the height that boxes keep where captions take much of it. */
export const LEAST_BOXES = 0.2;
/** Least and largest part of the height for lines that stands above the boxes. */
export const SIDES = [0.35, 0.6] as const;
/** Largest radius of a sign on the corner of a box. */
export const BADGE = 7;
/** The same as a part of the side of the box. */
export const BADGE_SHARE = 0.2;
/** Radius of a node that multiplies, in that of one that adds. */
export const PRODUCT = 1.6;
/** Length of an arm of its sign, as a part of its radius. */
export const CROSS = 0.6;
/** Radius of the dot of a factor, in that of a node that adds. */
export const FACTOR = 0.6;
/** How far the dots of its factors stand below a product, in the radius of a node that adds. */
export const DROP = 4;
/** How far apart the dots of its factors stand, in the radius of a node that adds. */
export const APART = 6;
/** Largest width of a product's factors as a part of the room that it has in its row. */
export const FACTORS_SHARE = 0.7;

/** Side of a square as a part of its cell; the rest is the gap for lines. */
export const FILL = 0.8;
/** Room between two blocks, in columns. */
export const GAP = 0.5;
/** Widest distance between columns, in cells. */
export const ROOMY = 1.7;
/** Part of the largest possible square that is large enough, if it saves rows. */
export const NEARLY = 0.9;
/** Blocks are given up where they make squares smaller than this part of those without blocks. */
export const CROWDED = 0.7;

/** How strongly a pruned edge is drawn, in a grey that is pale by itself. */
export const GHOST = 0.55;
/** More edges than this have paler lines, so that the curves stay in front. */
export const CROWD = 100;
/** How much paler these are. */
export const PALER = 0.6;
/** How strongly the weakest edge is drawn: on paper its colour still stands out by 3 to 1 (WCAG 2.2, 1.4.11), in both themes; a test holds that. What is weak is told by a thin line. */
export const READABLE = 0.72;
/** How strongly the outline of a box is drawn, as a part of its curve. */
export const OUTLINE = 0.75;
/** How strongly the band around a curve is drawn, as a part of the curve. */
export const SOFT = 0.25;
/** Width of the curve of the weakest edge, and what is added for the strongest. */
export const THIN = 0.8;
/** Width of the curve of the weakest edge, and what is added for the strongest. */
export const THICK = 2;
/** Curves in small boxes are thinner: by this factor in a tiny one, at most by that in a large. */
export const SLENDER = 0.55;
/** Curves in small boxes are thinner: by this factor in a tiny one, at most by that in a large. */
export const THICKEST = 1.4;
/** Width of connectors and outlines, as a part of that of the curve. */
export const CONNECTOR = 0.7;
/** Largest radius of the corners of a box, and the same as a part of its side. */
export const CORNER = 5;
/** Largest radius of the corners of a box, and the same as a part of its side. */
export const CORNER_SHARE = 0.12;
/** Free part of a box at each side of its line at 0. */
export const ZERO = 0.06;

/** Free part of a box at each side of its curve. */
export const MARGIN = 0.12;
/** A curve is drawn as flat where its range is below this part of its layer's largest: rounding. */
export const FLAT = 1e-6;
/** The sign of each shape that a curve may keep: x, y, x, y ... in a square of half side 1. */
export const SIGNS = {
  increasing: [-1, 0.8, 1, -0.8] as const,
  decreasing: [-1, -0.8, 1, 0.8] as const,
  convex: [-1, -0.8, -0.55, 0.35, 0, 0.8, 0.55, 0.35, 1, -0.8] as const,
  concave: [-1, 0.8, -0.55, -0.35, 0, -0.8, 0.55, -0.35, 1, 0.8] as const,
  even: [-1, -0.8, 0, 0.7, 1, -0.8] as const,
  odd: [-1, 0.7, -0.25, 0.7, 0.25, -0.7, 1, -0.7] as const,
};

/** As wide as the font is high, in the font of matplotlib and most others. */
export const WIDE_LETTERS = "mwMW@%\u2026";
/** Signs of ASCII that are thinner than its other small letters. */
export const SLIM_LETTERS = "fijlrt.,:;'!|()[]/ ";
/** Width of thin letters, small ones, others, and wide ones; of those in `WIDE_LETTERS` too. */
export const SLIM = 0.45;
/** Beyond it stand the letters of East Asia and signs as wide as the font is high. */
export const LAST_NARROW = "\u2e7f";
/** Width of thin letters, small ones, others, and wide ones; of those in `WIDE_LETTERS` too. */
export const NARROW = 0.65;
/** Width of thin letters, small ones, others, and wide ones; of those in `WIDE_LETTERS` too. */
export const BROAD = 0.85;
/** Width of thin letters, small ones, others, and wide ones; of those in `WIDE_LETTERS` too. */
export const WIDE = 1.05;
/** Signs of ASCII that are broader than its small letters. */
export const BROAD_SIGNS = "+=<>#~^";
/** The minus sign and the digits above the line. */
export const RAISED = "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";
/** Signs after which a long name goes on in a second line. */
export const BREAKS = " =_-/:";
/** Most combining marks on one letter; more would climb out of the line. */
export const MOST_ACCENTS = 3;

/** Font size of level node labels and of the title, in pixels. */
export const LETTERS = 14;
/** Font size of upright labels, formulas, notes and the key. */
export const SMALL = 12;
/** How far the second line of a label stands below its first. */
export const SECOND = 15;
/** Narrowest room in which a level label is cut rather than turned upright. */
export const LEVEL = 64;
/** Longest label that is set upright. */
export const LONGEST = 112;
/** Nearest distance of two upright labels, in the height of their letters. */
export const TIGHT = 1.25;
/** Narrowest room of a hidden node that has its short name beside it. */
export const NAME_ROOM = 60;
/** Height of a row of nodes without labels. */
export const BARE = 6;
