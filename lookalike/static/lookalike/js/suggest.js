// Suggestions show people's covers, so that namesakes can be told apart by their looks.
const select2 = window.django?.jQuery?.fn.select2;

function show(row) {
  if (!row.cover) return row.text;
  const line = document.createElement("span");
  line.className = "desk-suggestion";
  const cover = document.createElement("img");
  cover.src = row.cover;
  cover.alt = "";
  cover.width = 32;
  cover.height = 40;
  line.append(cover, row.text);
  return window.django.jQuery(line);
}

select2?.defaults.set("templateResult", show);
