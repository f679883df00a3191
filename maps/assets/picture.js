/* The view as it is drawn, on one canvas: both maps where two stand side by side, both parts where one is cut. */
(function (presencia) {
  const { node, byId } = presencia.dom;
  const RATIO = 2;

  const pane = (sheet) => sheet.closest(".leaflet-pane");

  /* The canvases of a map, the lowest first. */
  function sheets(box) {
    const level = (sheet) => Number(getComputedStyle(pane(sheet)).zIndex) || 0;
    return [...box.querySelectorAll(".leaflet-map-pane canvas")].sort((one, other) => level(one) - level(other));
  }

  /* The part of a map that a canvas shows: all, or what lies on its side of the line. */
  function part(sheet, { x, width }, { compare, swipe }) {
    const second = pane(sheet).matches(".leaflet-pr-two-pane");
    if (compare !== "swipe" || !(second || pane(sheet).matches(".leaflet-pr-one-pane"))) return [x, width];
    return second ? [x + swipe * width, (1 - swipe) * width] : [x, swipe * width];
  }

  function within(pen, x, y, width, height, act) {
    pen.save();
    pen.beginPath();
    pen.rect(x, y, width, height);
    pen.clip();
    act();
    pen.restore();
  }

  function frame(boxes) {
    const edges = boxes.map((box) => box.getBoundingClientRect());
    const edge = (most, side) => Math[most](...edges.map((each) => each[side]));
    const [x, y] = [edge("min", "left"), edge("min", "top")];
    return { x, y, width: edge("max", "right") - x, height: edge("max", "bottom") - y };
  }

  function copy(pen, box, whole, state) {
    const own = box.getBoundingClientRect();
    pen.fillStyle = getComputedStyle(box).backgroundColor;
    pen.fillRect(own.x - whole.x, own.y - whole.y, own.width, own.height);
    for (const sheet of sheets(box)) {
      const [from, wide] = part(sheet, own, state);
      const at = sheet.getBoundingClientRect();
      within(pen, from - whole.x, own.y - whole.y, wide, own.height, () => pen.drawImage(sheet, at.x - whole.x, at.y - whole.y, at.width, at.height));
    }
  }

  /* What parts two views: the line of the curtain, or a gap between two maps. */
  function divide(pen, [first, second], whole, { compare, swipe }) {
    const { x, y, width, height } = first.getBoundingClientRect();
    if (compare === "swipe") {
      pen.fillStyle = "#12303f";
      pen.fillRect(x - whole.x + swipe * width - 1, y - whole.y, 2, height);
    }
    if (!second) return;
    const other = second.getBoundingClientRect();
    const beside = other.x > x;
    pen.fillStyle = "#ffffff";
    pen.fillRect(other.x - whole.x, other.y - whole.y, beside ? 3 : whole.width, beside ? whole.height : 3);
  }

  function picture({ map, store }) {
    const boxes = [map.getContainer(), byId("pr-second")].filter((box) => !box.hidden);
    const whole = frame(boxes);
    const canvas = node("canvas", { width: RATIO * whole.width, height: RATIO * whole.height });
    const pen = canvas.getContext("2d");
    pen.scale(RATIO, RATIO);
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, whole.width, whole.height);
    for (const box of boxes) copy(pen, box, whole, store.get());
    divide(pen, boxes, whole, store.get());
    return { canvas, width: whole.width, height: whole.height };
  }

  presencia.picture = picture;
})((window.presencia = window.presencia || {}));
