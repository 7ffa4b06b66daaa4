/* A faster search on the access rules page. Without scripts, the server searches when the page is sent. */
"use strict";

{
  const MAX_SHOWN = 8;
  const texts = document.getElementById("access_rules_form").dataset;

  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  const labelsOf = (subject) => {
    const list = document.getElementById(`psc-codes-${subject}`);
    return list ? [...list.options].map((option) => option.value) : null;
  };

  const element = (name, properties) => Object.assign(document.createElement(name), properties);

  /* The search of one condition: a chosen result becomes a ticked checkbox, as the server would make it. */
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

    const choose = (labelWithCode) => {
      const code = labelWithCode.slice(labelWithCode.lastIndexOf("(") + 1, -1);
      const value = `${subject.value} ${code}`;
      const present = [...condition.querySelectorAll(".psc-code-checkbox input")].find((box) => box.value === value);
      if (present) {
        present.checked = true;
      } else {
        const checkbox = element("input", { type: "checkbox", checked: true, value });
        checkbox.name = subject.name.replace(/subject$/, "codes");
        const label = element("label", { className: "psc-code-checkbox" });
        label.append(checkbox, ` ${labelWithCode}`);
        input.before(label);
      }
      input.value = "";
      close();
      input.focus();
    };

    const search = () => {
      const labels = labelsOf(subject.value);
      const text = folded(input.value.trim());
      close();
      if (!labels || !text) return;
      const found = labels.filter((label) => folded(label).includes(text)).slice(0, MAX_SHOWN);
      for (const label of found) {
        const button = element("button", { type: "button", textContent: label });
        button.addEventListener("click", () => choose(label));
        const item = element("li", {});
        item.append(button);
        results.append(item);
      }
      results.hidden = found.length === 0;
      count.textContent = texts.found.replace("0", found.length);
    };

    const moveFocus = (event, step) => {
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
      else if (event.key === "ArrowDown" && first && subject !== event.target) moveFocus(event, 1);
      else if (event.key === "ArrowUp" && first && subject !== event.target) moveFocus(event, -1);
      else if (event.key === "Enter" && first && event.target === input) {
        event.preventDefault();
        first.click();
      }
    });
    subject.addEventListener("change", () => {
      // The codes of the former subject are not codes of the new one.
      for (const part of condition.querySelectorAll(".psc-code-checkbox, .psc-suggestions")) part.remove();
      input.placeholder = !subject.value ? texts.any : labelsOf(subject.value) ? texts.search : texts.typed;
      close();
    });
  };

  /* Show the input of an outcome only when that outcome is chosen. */
  const showForOutcome = (rule) => {
    const outcome = rule.querySelector("[name$='-outcome']");
    const show = () => {
      for (const name of ["refuse", "group"]) {
        const part = rule.querySelector(`.psc-for-${name}`);
        if (part) part.hidden = outcome.value !== name;
      }
    };
    outcome.addEventListener("change", show);
    show();
  };

  document.querySelectorAll(".psc-condition").forEach(addSearch);
  document.querySelectorAll(".psc-rule").forEach(showForOutcome);
}
