// Card detail is GitHub-flavoured Markdown (CDS Hooks 2.0, "Card Attributes"). Raw HTML stays text, a
// picture is its description, and links open in a page of their own that does not learn where they came from.

import MarkdownIt from "/static/vendor/markdown-it.js";

const markdown = new MarkdownIt({ html: false, linkify: false });

markdown.renderer.rules.image = (tokens, index) => markdown.utils.escapeHtml(tokens[index].content);

markdown.renderer.rules.link_open = (tokens, index, options, _environment, renderer) => {
  tokens[index].attrSet("target", "_blank");
  tokens[index].attrSet("rel", "noopener noreferrer");
  return renderer.renderToken(tokens, index, options);
};

// Alignment of a cell as a class: the policy of the page admits no style attribute.
for (const cell of ["th_open", "td_open"]) {
  markdown.renderer.rules[cell] = (tokens, index, options, _environment, renderer) => {
    const token = tokens[index];
    const style = token.attrGet("style");
    if (style) {
      token.attrs = token.attrs.filter(([name]) => name !== "style");
      token.attrJoin("class", style.replace("text-align:", "align-"));
    }
    return renderer.renderToken(tokens, index, options);
  };
}

export function rendered(text) {
  const place = document.createElement("div");
  place.className = "detail";
  place.innerHTML = markdown.render(text);
  return place;
}
