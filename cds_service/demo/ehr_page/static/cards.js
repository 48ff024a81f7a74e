// Cards as an EHR shows them: indicator, summary, detail, suggestions, links, and setting a card aside.

import { element, outwardLink } from "./elements.js";
import { rendered } from "./markdown.js";

const INDICATORS = ["info", "warning", "critical"];

// desk: accept(card, suggestion) and setAside(card, reason, comment), both resolving to words for the user,
// launch(link) giving the address of a SMART app, and mayOrder.
export function showCard(card, desk, open) {
  const indicator = INDICATORS.includes(card.indicator) ? card.indicator : "info";
  const title = element("h3", { id: `card-${card.uuid}` }, card.summary);
  const outcome = element("p", { class: "outcome", role: "status" });
  const box = element("article", { class: `card ${indicator}`, "aria-labelledby": title.id },
    element("header", {}, element("span", { class: `badge ${indicator}` }, indicator), title));
  box.dataset.topic = card.source?.topic?.code ?? "";
  if (card.detail) {
    box.append(element("details", { class: "detail-box", open },
      element("summary", {}, "Detail"), rendered(card.detail)));
  }
  if (card.suggestions?.length) box.append(suggestions(card, desk, box, outcome));
  if (card.links?.length) box.append(links(card.links, desk));
  box.append(source(card.source));
  if (card.uuid) box.append(settingAside(card, desk, box, outcome));
  box.append(outcome);
  return box;
}

function source(of) {
  const place = element("p", { class: "source" }, "Source: ");
  place.append(of?.url ? outwardLink(of.label, of.url) : of?.label ?? "not named");
  return place;
}

function links(all, desk) {
  return element("ul", { class: "links", "aria-label": "Links" }, ...all.map((link) =>
    element("li", {}, link.type === "smart"
      ? outwardLink(`${link.label} (SMART app)`, desk.launch(link))
      : outwardLink(link.label, link.url))));
}

function suggestions(card, desk, box, outcome) {
  const place = element("div", { class: "suggestions" });
  for (const suggestion of card.suggestions) {
    const button = element("button", { type: "button", class: "primary suggestion", disabled: !desk.mayOrder },
      suggestion.label);
    button.addEventListener("click", async () => {
      const rivals = card.selectionBehavior === "at-most-one" ? place.querySelectorAll("button") : [button];
      rivals.forEach((one) => { one.disabled = true; });
      const result = await desk.accept(card, suggestion);
      outcome.textContent = result.words;
      box.classList.toggle("done", result.done);
      rivals.forEach((one) => { one.disabled = result.done; });
    });
    place.append(button);
  }
  if (!desk.mayOrder) {
    place.append(element("span", { class: "muted small" }, "Orders can be drafted in the charts of the demo patients."));
  }
  return place;
}

function settingAside(card, desk, box, outcome) {
  const reason = element("select", { id: `reason-${card.uuid}` },
    element("option", { value: "" }, "no reason given"),
    ...(card.overrideReasons ?? []).map((one) => element("option", { value: one.code }, one.display)));
  const comment = element("input", { id: `comment-${card.uuid}`, type: "text", maxlength: "500", autocomplete: "off" });
  const button = element("button", { type: "submit" }, "Set aside");
  const form = element("form", { class: "override-form" },
    element("label", { for: reason.id }, "Reason"), reason,
    element("label", { for: comment.id }, "Comment"), comment, button);
  const place = element("details", { class: "override" }, element("summary", {}, "Set this card aside"), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const chosen = (card.overrideReasons ?? []).find((one) => one.code === reason.value);
    const result = await desk.setAside(card, chosen, comment.value.trim());
    outcome.textContent = result.words;
    button.disabled = result.done;
    if (result.done) {
      box.classList.add("set-aside");
      place.open = false;
      box.querySelectorAll("button").forEach((one) => { one.disabled = true; });
    }
  });
  return place;
}
