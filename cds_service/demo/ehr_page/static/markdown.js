// Card detail is GitHub-flavoured Markdown (CDS Hooks 2.0, "Card Attributes"). Raw HTML stays text, pictures
// are not loaded, and links open in a page of their own that does not learn where they came from.

import MarkdownIt from "/static/vendor/markdown-it.js";

const markdown = new MarkdownIt({ html: false, linkify: false }).disable("image");

markdown.renderer.rules.link_open = (tokens, index, options, _environment, renderer) => {
  tokens[index].attrSet("target", "_blank");
  tokens[index].attrSet("rel", "noopener noreferrer");
  return renderer.renderToken(tokens, index, options);
};

export function rendered(text) {
  const place = document.createElement("div");
  place.className = "detail";
  place.innerHTML = markdown.render(text);
  return place;
}
