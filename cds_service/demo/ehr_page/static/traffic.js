// What went over the wire, readable beside the cards.

import { element } from "./elements.js";

export class Traffic {
  constructor(place) {
    this.place = place;
  }

  clear() {
    this.place.replaceChildren();
  }

  line(text) {
    this.place.append(element("p", { class: "step" }, text));
  }

  // A JSON body; it is written out when it is first looked at.
  json(title, body, { open = false, name = "" } = {}) {
    const box = element("details", { class: "json", "data-name": name }, element("summary", {}, title));
    const write = () => {
      if (box.querySelector("pre")) return;
      box.append(element("pre", { tabindex: "0", "aria-label": title }, JSON.stringify(body, shortened, 2)));
    };
    box.addEventListener("toggle", write);
    if (open) {
      write();
      box.open = true;
    }
    this.place.append(box);
    return box;
  }

  // A hook request: the envelope first, then every prefetch key by itself.
  request(url, body) {
    const { prefetch = {}, ...envelope } = body;
    const keys = Object.keys(prefetch);
    this.json(`POST ${url}`, { ...envelope, ...(keys.length ? { prefetch: `${keys.length} keys, below` } : {}) },
      { open: true, name: "request" });
    if (keys.length === 0) return;
    const box = element("details", { class: "json prefetch" }, element("summary", {}, `prefetch: ${keys.length} keys`));
    const outer = this.place;
    this.place = box;
    for (const key of keys) this.json(`${key}: ${described(prefetch[key])}`, prefetch[key], { name: key });
    this.place = outer;
    this.place.append(box);
  }
}

function described(value) {
  if (value?.resourceType !== "Bundle") return String(value?.resourceType ?? value);
  const count = value.entry?.length ?? 0;
  return `Bundle, ${count} ${count === 1 ? "entry" : "entries"}`;
}

function shortened(key, value) {
  return key === "access_token" && typeof value === "string" ? `${value.slice(0, 12)}… (shortened here)` : value;
}
