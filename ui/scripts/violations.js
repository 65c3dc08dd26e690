// What axe-core has to say about what a person sees now: a line for each rule that is broken, and for each text whose
// contrast it cannot tell. Run in the page, by the pictures' script beside it and by the tests of the real window.

async function violations() {
  // What is behind a dialog or a menu is dimmed or covered; it was looked at before that was there.
  const seen = [...document.querySelectorAll('dialog[open], [role=menu]')].at(-1) ?? document;
  const rest = { rules: { 'color-contrast': { enabled: false } }, resultTypes: ['violations'] };
  const found = await axe.run(seen, rest);
  // Of a line that is longer than its region axe-core cannot tell, and in WebKitGTK it then tells nothing of the others
  // either. The lines of a region have the same colours as those of one that is not too long.
  const exclude = [...seen.querySelectorAll('pre')].filter(
    (region) => region.scrollWidth > region.clientWidth,
  );
  const contrast = await axe.run(
    { include: [seen], exclude },
    { runOnly: ['color-contrast'], resultTypes: ['violations', 'incomplete'] },
  );
  // A menu's ground is its own, but where it ends above others axe-core cannot tell.
  const isMenu = seen !== document && seen.matches('[role=menu]');
  const unsure = isMenu ? [] : contrast.incomplete;
  const broken = [...found.violations, ...contrast.violations];
  // Nothing tells less than a question that was not asked.
  const asked = [...contrast.violations, ...contrast.passes, ...unsure].length > 0;
  return [
    ...broken.map(({ id, nodes }) => `${id}: ${told(nodes)}`),
    ...unsure.map(({ nodes }) => `color-contrast is not known: ${told(nodes)}`),
    ...(asked ? [] : ['color-contrast was not asked']),
  ];

  function told(nodes) {
    return nodes.map(({ html, any }) => `${html.slice(0, 160)} (${any[0]?.message ?? ''})`).join(' | ');
  }
}
