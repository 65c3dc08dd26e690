// What a person could not read or reach on the page as it is: a sentence each. Run in the page, by the pictures' script
// beside it and by the tests of the real window.

function flaws() {
  const found = new Set();
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth)
    found.add(`the page is ${root.scrollWidth - innerWidth} px wider than the window`);
  if (root.scrollHeight > innerHeight)
    found.add(`the page scrolls away under its own header, by ${root.scrollHeight - innerHeight} px`);

  const top = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  for (const element of top.querySelectorAll('*')) {
    if (element.closest('.hidden-visually, svg, [hidden], details:not([open]) > :not(summary)')) continue;
    const box = element.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) continue;

    const say = (flaw) => {
      const text = (element.textContent ?? '').trim().slice(0, 60);
      found.add(`<${element.localName} ${element.dataset.testid ?? element.className}> “${text}” ${flaw}`);
    };
    const { overflowX, textOverflow } = getComputedStyle(element);
    const over = element.scrollWidth - element.clientWidth;
    if (over > 1) {
      // A region that the keyboard can scroll is no flaw; neither is a field, whose text moves as one types.
      if (['auto', 'scroll'].includes(overflowX) && !element.matches('pre, textarea, input, [tabindex="0"]'))
        say(`has to be scrolled sideways, ${over} px`);
      if (textOverflow === 'ellipsis' && !element.closest('[title]'))
        say('is cut off, and nothing tells the rest');
      if (element.matches('button, .button')) say(`is ${over} px too narrow for its text`);
    }
    if ((box.right > innerWidth + 1 || box.left < -1) && !isClipped(element, top))
      say('reaches out of the window');
  }
  return [...found];

  /** Whether something around it, but for the page's own middle, cuts it off or scrolls it. */
  function isClipped(element, top) {
    for (let around = element.parentElement; around && around !== top; around = around.parentElement)
      if (around.localName !== 'main' && getComputedStyle(around).overflowX !== 'visible') return true;
    return false;
  }
}
