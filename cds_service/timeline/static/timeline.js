/* Draws the timeline from the JSON in the page. Every text is set as text, never as markup. */
"use strict";

(() => {
  const source = document.getElementById("picture-data");
  const place = document.getElementById("picture");
  if (!source || !place || typeof d3 === "undefined") return;

  const data = JSON.parse(source.textContent);
  const day = (text) => new Date(`${text}T00:00:00Z`);
  const DAY = 86400000;
  const today = day(data.today);
  const readout = document.getElementById("readout");

  for (const panel of data.panels) {
    for (const point of panel.points) Object.assign(point, { x: day(point.day), x2: day(point.until), panel });
  }
  for (const one of data.phases) Object.assign(one, { from: day(one.start), to: one.end ? day(one.end) : today });
  for (const one of data.marks) one.x = day(one.day);
  for (const lane of data.treatments) {
    for (const span of lane.spans) {
      span.from = day(span.start);
      span.to = span.end ? day(span.end) : span.running ? today : span.from;
    }
  }

  const points = data.panels.flatMap((panel) => panel.points).sort((a, b) => a.x - b.x);
  const whole = wholeRange();
  let shown = whole;
  let selected = null;
  let drawn = [];
  let lastWidth = 0;

  function wholeRange() {
    const days = [
      ...points.map((one) => one.x),
      ...data.phases.map((one) => one.from),
      ...data.marks.map((one) => one.x),
      ...data.treatments.flatMap((lane) => lane.spans.map((span) => span.from)),
    ];
    const first = days.length ? d3.min(days) : new Date(today - 365 * DAY);
    return [first, d3.max([today, ...points.map((one) => one.x)])];
  }

  function ranges() {
    const found = [["All", whole]];
    const remission = data.phases.filter((one) => one.kind === "remission" && one.to < today).at(-1);
    if (remission && remission.to - whole[0] > 60 * DAY) {
      found.push(["Around the last relapse", [new Date(remission.to - 45 * DAY), whole[1]]]);
    }
    for (const [label, days] of [["Last 12 months", 365], ["Last 90 days", 90]]) {
      if (today - whole[0] > days * DAY * 1.2) found.push([label, [new Date(today - days * DAY), whole[1]]]);
    }
    return found;
  }

  function padded([first, last]) {
    const margin = Math.max((last - first) * 0.03, 3 * DAY);
    return [new Date(+first - margin), new Date(+last + margin)];
  }

  function inside(one) {
    const [first, last] = padded(shown);
    return one.x2 >= first && one.x <= last;
  }

  /* ---- scales ---------------------------------------------------------------------------------- */

  function scaleOf(panel, top, bottom) {
    const bounds = panel.points.flatMap((one) => [one.low, one.high]).filter((one) => one !== null);
    const lines = panel.lines.map((one) => one.value);
    if (panel.key === "marrow") return linear([0, 100], [0, 25, 50, 75, 100]);
    if (panel.key === "mrd") {
      const least = d3.min([0.001, ...bounds.filter((one) => one > 0), ...lines]);
      const floor = 10 ** Math.floor(Math.log10(least));
      const scale = d3.scaleLog([floor, 100], [bottom, top]).clamp(true);
      const decades = d3.range(Math.log10(floor), 3, Math.log10(floor) < -4 ? 2 : 1);
      return { scale, ticks: decades.map((power) => 10 ** Math.round(power)), floor };
    }
    const most = d3.max([10, ...bounds.map((one) => one * 1.15), ...lines.map((one) => one * 1.5)]);
    if (panel.key === "csf" && most > 40) {
      const scale = d3.scaleSymlog([0, most], [bottom, top]).constant(5);
      return { scale, ticks: [0, 5, 20, 100, 500, 2000, 10000].filter((one) => one <= most), floor: 0, bent: true };
    }
    return linear([0, panel.key === "blood" ? Math.min(100, most) : most]);

    function linear(domain, ticks) {
      const scale = d3.scaleLinear(domain, [bottom, top]);
      return { scale, ticks: ticks || scale.ticks(4), floor: 0 };
    }
  }

  /* ---- drawing --------------------------------------------------------------------------------- */

  function draw(width) {
    lastWidth = width;
    const narrow = width < 520;
    const left = narrow ? 34 : 44, right = 10;
    const x = d3.scaleUtc(padded(shown), [left, width - right]);
    const svg = d3.create("svg").attr("role", "img").attr("aria-labelledby", "picture-title")
      .attr("aria-describedby", "picture-text");
    const back = svg.append("g"), front = svg.append("g");
    const clip = "picture-clip";
    const area = svg.append("clipPath").attr("id", clip).append("rect");
    drawn = [];

    let y = phases(front, x, 0, left, width - right);
    y = marks(front, x, y + 4, left, width - right);
    y = lanes(front, x, y + 2, left, width - right);
    const body = y + 4;
    for (const panel of data.panels) y = panelAt(front, x, panel, y, left, width - right, narrow, clip);
    backdrop(back, x, body, y, left, width - right);
    axis(front, x, y, width);
    const height = y + 26;
    area.attr("x", left).attr("y", 0).attr("width", width - right - left).attr("height", height);
    svg.attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
    svg.append("g").attr("class", "selection");
    svg.on("pointermove pointerdown", (event) => {
      const [px, py] = d3.pointer(event);
      const near = d3.least(drawn, (one) => Math.hypot(one.px - px, one.py - py));
      if (near && Math.hypot(near.px - px, near.py - py) < 30) select(near.point);
    });
    place.replaceChildren(svg.node());
    showSelection();
  }

  function cut(x, from, to, left, right) {
    const start = Math.max(left, x(from)), end = Math.min(right, x(to));
    return end < left || start > right ? null : [start, Math.max(end, start + 3)];
  }

  function phases(g, x, y, left, right) {
    if (!data.phases.length) return y;
    let free = left;
    data.phases.forEach((one) => {
      const span = cut(x, one.from, one.to, left, right);
      if (!span) return;
      g.append("rect").attr("class", `phase-tag ${one.kind}`).attr("x", span[0]).attr("y", y + 15)
        .attr("width", span[1] - span[0]).attr("height", 4).append("title").text(one.label);
      const wide = one.label.length * 7.1 + 10;
      const fits = span[1] - span[0] >= wide;
      const at = fits ? Math.max(span[0], free) : span[1] - wide;
      if (at >= free && at + wide <= right + 4) {
        g.append("text").attr("class", "phase-name").attr("x", at + 2).attr("y", y + 11).text(one.label);
        free = at + wide;
      }
    });
    return y + 22;
  }

  function marks(g, x, y, left, right) {
    const rows = [];
    const seen = new Set();
    for (const one of [...data.marks].sort((a, b) => a.x - b.x)) {
      const at = x(one.x);
      if (at < left || at > right || seen.has(`${one.label} ${one.day}`)) continue;
      seen.add(`${one.label} ${one.day}`);
      const wide = one.label.length * 6.2 + 12;
      const flip = at + wide > right;
      const [start, end] = flip ? [at - wide, at] : [at, at + wide];
      let row = rows.findIndex((taken) => taken.every(([s, e]) => end < s || start > e));
      if (row < 0) row = rows.push([]) - 1;
      rows[row].push([start, end]);
      const cy = y + row * 16 + 8;
      one.top = cy;
      g.append("path").attr("class", "mark-tick").attr("d", `M${at},${cy - 4}l4,4l-4,4l-4,-4z`);
      g.append("text").attr("class", "mark-label halo").attr("x", flip ? at - 7 : at + 7).attr("y", cy + 4)
        .attr("text-anchor", flip ? "end" : "start").text(one.label);
    }
    return y + rows.length * 16;
  }

  function lanes(g, x, y, left, right) {
    const visible = data.treatments
      .map((lane) => ({ lane, spans: lane.spans.map((span) => cut(x, span.from, span.to, left, right)).filter(Boolean) }))
      .filter((one) => one.spans.length);
    const most = 10;
    for (const { lane, spans } of visible.slice(0, most)) {
      const first = d3.min(spans, (span) => span[0]), last = d3.max(spans, (span) => span[1]);
      const wide = lane.label.length * 5.9 + 8;
      const after = last + wide <= right;
      const before = !after && first - wide >= left;
      const above = !after && !before;
      const at = after ? last + 5 : before ? first - 5 : Math.min(first, right - wide);
      g.append("text").attr("class", "lane-label halo").attr("x", at).attr("y", y + (above ? 10 : 11))
        .attr("text-anchor", before ? "end" : "start").text(lane.label);
      if (above) y += 9;
      for (const [start, end] of spans) {
        g.append("rect").attr("class", lane.plan ? "lane plan" : "lane").attr("x", start).attr("y", y + 4)
          .attr("width", end - start).attr("height", 6).attr("rx", 2);
      }
      y += 15;
    }
    if (visible.length > most) {
      g.append("text").attr("class", "empty").attr("x", left).attr("y", y + 11)
        .text(`and ${visible.length - most} more in the table below`);
      y += 15;
    }
    return y;
  }

  function backdrop(g, x, top, bottom, left, right) {
    for (const one of data.phases) {
      const span = cut(x, one.from, one.to, left, right);
      if (!span) continue;
      g.append("rect").attr("class", `phase ${one.kind}`).attr("x", span[0]).attr("y", top)
        .attr("width", span[1] - span[0]).attr("height", bottom - top);
    }
    for (const one of data.marks) {
      const at = x(one.x);
      if (at < left || at > right || one.top === undefined) continue;
      g.append("line").attr("class", "mark-line").attr("x1", at).attr("x2", at).attr("y1", one.top + 5).attr("y2", bottom);
    }
  }

  function panelAt(g, x, panel, y, left, right, narrow, clip) {
    const here = panel.points.filter(inside);
    const title = panel.unit === "%" ? panel.title : `${panel.title}, ${panel.unit}`;
    const head = g.append("text").attr("class", "panel-title halo").attr("x", left).attr("y", y + 18).text(title);
    if (!panel.points.length) {
      head.append("tspan").attr("class", "empty").attr("font-weight", "400").attr("dx", 6).text(panel.unread ? "not read" : "no result on record");
      return y + 24;
    }
    const top = y + 28, bottom = top + (narrow ? 104 : 116);
    const { scale, ticks, floor, bent } = scaleOf(panel, top, bottom);
    if (bent) head.append("tspan").attr("class", "empty").attr("font-weight", "400").attr("dx", 4).text("(compressed scale)");
    g.append("rect").attr("class", "frame").attr("x", left).attr("y", top).attr("width", right - left).attr("height", bottom - top);
    for (const tick of ticks) {
      g.append("line").attr("class", "grid-line").attr("x1", left).attr("x2", right).attr("y1", scale(tick)).attr("y2", scale(tick));
    }
    g.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`)
      .call(d3.axisLeft(scale).tickValues(ticks).tickFormat(d3.format("~")).tickSize(3));
    const series = g.append("g").attr("class", panel.key).attr("clip-path", `url(#${clip})`);
    thresholds(g, panel, scale, left, right, top, bottom);
    const spot = (one) => {
      const value = one.low !== null ? one.low : one.high;
      return value === null ? floor : Math.max(value, floor);
    };
    const used = panel.points.filter((one) => one.use === "used");
    for (const [one, next] of d3.pairs(used)) {
      // Nothing is known between samples that lie far apart: their connection only guides the eye.
      series.append("line").attr("class", next.x - one.x > 100 * DAY ? "trend far" : "trend")
        .attr("x1", x(one.x)).attr("y1", scale(spot(one))).attr("x2", x(next.x)).attr("y2", scale(spot(next)));
    }
    for (const one of here) sample(series, one, x, scale, spot(one), top, right, panel.key === "mrd" ? floor : null);
    if (!here.length) {
      g.append("text").attr("class", "empty halo").attr("x", (left + right) / 2).attr("y", (top + bottom) / 2)
        .attr("text-anchor", "middle").text("no sample in the time shown");
    }
    return bottom + 4;
  }

  function thresholds(g, panel, scale, left, right, top, bottom) {
    const [low, high] = scale.domain();
    let above = Infinity;
    for (const one of [...panel.lines].sort((a, b) => a.value - b.value)) {
      if (one.value < low || one.value > high) continue;
      const at = scale(one.value);
      g.append("line").attr("class", one.default ? "threshold default" : "threshold").attr("x1", left).attr("x2", right)
        .attr("y1", at).attr("y2", at);
      const text = Math.min(Math.max(at - 3, top + 10), bottom - 3);
      if (above - text < 11) continue;
      above = text;
      g.append("text").attr("class", one.default ? "threshold-label halo default" : "threshold-label halo")
        .attr("x", left + 8).attr("y", text).text(one.label);
    }
  }

  function sample(g, one, x, scale, value, top, right, floor) {
    const px = x(one.x), py = scale(value);
    const exact = one.low !== null && one.low === one.high;
    if (one.x2 > one.x) {
      g.append("line").attr("class", "range").attr("x1", px).attr("x2", x(one.x2)).attr("y1", py).attr("y2", py);
    }
    if (!exact && (one.low !== null || one.high !== null)) {
      const least = scale(one.low === null ? scale.domain()[0] : Math.max(one.low, scale.domain()[0]));
      const most = one.high === null ? Math.max(top, least - 16) : scale(one.high);
      g.append("line").attr("class", "range").attr("x1", px).attr("x2", px).attr("y1", least).attr("y2", most);
    }
    const hollow = !exact || one.use !== "used" || (floor !== null && value <= floor);
    const kind = `sample${hollow && !one.fired ? " hollow" : ""}${one.fired ? " fired" : ""}`;
    g.append("circle").attr("class", kind).attr("cx", px).attr("cy", py).attr("r", one.fired ? 5 : 4.5)
      .append("title").text(one.words);
    if (one.fired) {
      g.append("circle").attr("class", "ring").attr("cx", px).attr("cy", py).attr("r", 8.5);
      if (one.letters) {
        const flip = px + one.letters.length * 7 + 14 > right;
        g.append("text").attr("class", "letter halo").attr("x", flip ? px - 12 : px + 12).attr("y", Math.max(py + 4, top + 11))
          .attr("text-anchor", flip ? "end" : "start").text(one.letters);
      }
    }
    drawn.push({ px, py, point: one });
  }

  function axis(g, x, y, width) {
    const days = (x.domain()[1] - x.domain()[0]) / DAY;
    const format = d3.utcFormat(days > 1500 ? "%Y" : days > 150 ? "%b %Y" : "%d %b");
    const count = Math.max(3, Math.floor(width / 95));
    const ticks = days > 1500 ? x.ticks(d3.utcYear.every(Math.max(1, Math.ceil(days / 365 / count)))) : x.ticks(count);
    g.append("g").attr("class", "axis").attr("transform", `translate(0,${y + 2})`)
      .call(d3.axisBottom(x).tickValues(ticks).tickFormat(format).tickSize(4));
  }

  /* ---- reading --------------------------------------------------------------------------------- */

  function select(point) {
    if (point === selected) return;
    selected = point;
    readout.textContent = `${point.panel.title.split(",")[0]}. ${point.words}`;
    showSelection();
  }

  function showSelection() {
    const g = d3.select(place).select("g.selection");
    g.selectAll("*").remove();
    const found = drawn.find((one) => one.point === selected);
    if (found) g.append("circle").attr("class", "cursor").attr("cx", found.px).attr("cy", found.py).attr("r", 11);
  }

  function step(by) {
    const visible = points.filter(inside);
    if (!visible.length) return;
    const at = visible.indexOf(selected);
    select(visible[at < 0 ? (by > 0 ? 0 : visible.length - 1) : (at + by + visible.length) % visible.length]);
  }

  function offerRanges() {
    const box = document.getElementById("ranges");
    const offered = ranges();
    if (offered.length < 2) return;
    for (const [label, range] of offered) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.setAttribute("aria-pressed", String(range === shown));
      button.addEventListener("click", () => {
        shown = range;
        for (const other of box.children) other.setAttribute("aria-pressed", String(other === button));
        draw(lastWidth);
      });
      box.append(button);
    }
    box.hidden = false;
  }

  const measure = () => Math.max(280, Math.floor(place.clientWidth));
  draw(measure());
  offerRanges();
  if (points.length) {
    document.getElementById("reading").hidden = false;
    document.getElementById("previous").addEventListener("click", () => step(-1));
    document.getElementById("next").addEventListener("click", () => step(1));
  }
  new ResizeObserver(() => {
    if (measure() !== lastWidth) draw(measure());
  }).observe(place);
  const print = document.getElementById("print");
  print.hidden = false;
  print.addEventListener("click", () => window.print());
  window.addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
    draw(700);
  });
  window.addEventListener("afterprint", () => draw(measure()));
})();
