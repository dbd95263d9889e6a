/**
 * `npm run doctor`: looks at what this project needs on this machine, and says how to mend what is wrong with it.
 * It ends with 1 when something is broken. It runs where nothing else does: on an old Node, without node_modules.
 */
import { checkConfig } from './doctor/config.mjs';
import { checkModules, checkNode, checkScriptNode } from './doctor/install.mjs';
import { checkBuild, checkClient, checkDatabase, checkSecrets } from './doctor/local-state.mjs';
import { checkBrowser, checkPorts } from './doctor/machine.mjs';
import { main, ROOT } from './lib/processes.mjs';

/** Checks that need nothing but Node, and those that run the tools of node_modules. */
const OWN_CHECKS = [checkPorts, checkSecrets];
const TOOL_CHECKS = [checkBrowser, checkConfig, checkDatabase, checkClient, checkBuild];

const MARKS = { ok: '✓', note: '!', broken: '✗' };

await main(async () => {
  const place = { root: ROOT, env: process.env };
  const seen = [checkNode(place), ...checkModules(place)];
  if (!seen.some(isBroken)) seen.push(...checkScriptNode(place));
  seen.forEach(print);
  // The others run what npm installed.
  const waiting = seen.some(isBroken);
  for (const check of waiting ? OWN_CHECKS : [...OWN_CHECKS, ...TOOL_CHECKS]) {
    const findings = await check(place);
    findings.forEach(print);
    seen.push(...findings);
  }
  if (!seen.some(isBroken)) {
    console.log('\nNothing is broken.');
    return 0;
  }
  const then = waiting ? ' Then run this again: the other checks wait for it.' : '';
  console.log(`\nMend what is marked ${MARKS.broken}, from the top.${then}`);
  return 1;
});

/** @typedef {import('./doctor/finding.mjs').Finding} Finding */

/** @param {Finding} finding */
function isBroken({ mark }) {
  return mark === 'broken';
}

/** @param {Finding} finding */
function print({ mark, text, mend }) {
  console.log(`${MARKS[mark]} ${text}${mend ? `\n    → ${mend}` : ''}`);
}
