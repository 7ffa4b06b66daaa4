/* The page of the access rules, handier. Without scripts the same is done by sending the page. */
"use strict";

{
  const MAX_SHOWN = 8;
  const texts = document.getElementById("access_rules_form").dataset;

  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  const offersOf = (subject) => {
    const list = document.getElementById(`psc-codes-${subject}`);
    return list ? [...list.options].map((option) => option.value) : null;
  };

  const element = (name, properties) => Object.assign(document.createElement(name), properties);

  /* A search of one condition: what is chosen of its results becomes a tick, as the server would make one. */
  const addSearch = (condition) => {
    const subject = condition.querySelector("[name$='-subject']");
    const input = condition.querySelector(".psc-search");
    const results = element("ul", { className: "psc-found", hidden: true });
    const count = element("span", { className: "visually-hidden", role: "status" });
    input.removeAttribute("list");
    input.after(results, count);

    const close = () => {
      results.hidden = true;
      results.replaceChildren();
      count.textContent = "";
    };

    const choose = (offer) => {
      const code = offer.slice(offer.lastIndexOf("(") + 1, -1);
      const value = `${subject.value} ${code}`;
      const present = [...condition.querySelectorAll(".psc-tick input")].find((tick) => tick.value === value);
      if (present) {
        present.checked = true;
      } else {
        const tick = element("input", { type: "checkbox", checked: true, value });
        tick.name = subject.name.replace(/subject$/, "codes");
        const label = element("label", { className: "psc-tick" });
        label.append(tick, ` ${offer}`);
        input.before(label);
      }
      input.value = "";
      close();
      input.focus();
    };

    const search = () => {
      const offers = offersOf(subject.value);
      const wanted = folded(input.value.trim());
      close();
      if (!offers || !wanted) return;
      const found = offers.filter((offer) => folded(offer).includes(wanted)).slice(0, MAX_SHOWN);
      for (const offer of found) {
        const button = element("button", { type: "button", textContent: offer });
        button.addEventListener("click", () => choose(offer));
        const item = element("li", {});
        item.append(button);
        results.append(item);
      }
      results.hidden = found.length === 0;
      count.textContent = texts.found.replace("0", found.length);
    };

    const move = (event, step) => {
      const buttons = [...results.querySelectorAll("button")];
      const place = buttons.indexOf(document.activeElement) + step;
      if (buttons.length === 0) return;
      event.preventDefault();
      (buttons[place] ?? input).focus();
    };

    input.addEventListener("input", search);
    condition.addEventListener("keydown", (event) => {
      const first = results.querySelector("button");
      if (event.key === "Escape") close();
      else if (event.key === "ArrowDown" && first && subject !== event.target) move(event, 1);
      else if (event.key === "ArrowUp" && first && subject !== event.target) move(event, -1);
      else if (event.key === "Enter" && first && event.target === input) {
        event.preventDefault();
        first.click();
      }
    });
    subject.addEventListener("change", () => {
      // They were codes of another subject.
      for (const part of condition.querySelectorAll(".psc-tick, .psc-near")) part.remove();
      input.placeholder = !subject.value ? texts.any : offersOf(subject.value) ? texts.search : texts.typed;
      close();
    });
  };

  /* What only one outcome has is shown for it alone. */
  const showForOutcome = (rule) => {
    const outcome = rule.querySelector("[name$='-outcome']");
    const show = () => {
      for (const name of ["refuse", "group"]) {
        const part = rule.querySelector(`.psc-when-${name}`);
        if (part) part.hidden = outcome.value !== name;
      }
    };
    outcome.addEventListener("change", show);
    show();
  };

  document.querySelectorAll(".psc-condition").forEach(addSearch);
  document.querySelectorAll(".psc-rule").forEach(showForOutcome);
}
