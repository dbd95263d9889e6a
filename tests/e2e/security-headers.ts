import type { IncomingHttpHeaders } from 'node:http';

const ON_EVERY_ANSWER: Record<string, string | RegExp> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': /camera=\(\)/,
  // All responses that are checked here are served on loopback.
  'strict-transport-security': 'undefined',
  'cache-control': 'no-store',
};

/** Returns what is wrong with the security headers of a response; empty if nothing is. */
export function headerComplaints(headers: IncomingHttpHeaders | Record<string, string>): string[] {
  const complaints = Object.entries(ON_EVERY_ANSWER).flatMap(([name, expected]) => {
    const value = String(headers[name]);
    const isRight = typeof expected === 'string' ? value === expected : expected.test(value);
    return isRight ? [] : [`${name} is ${value}`];
  });
  return [...complaints, ...policyComplaints(String(headers['content-security-policy'] ?? ''), headers)];
}

function policyComplaints(policy: string, headers: IncomingHttpHeaders | Record<string, string>): string[] {
  const directives = new Map(
    policy.split(';').map((directive): [string, string[]] => {
      const [name = '', ...sources] = directive.trim().split(/\s+/);
      return [name, sources];
    }),
  );
  const isPage = /^text\/html/.test(String(headers['content-type'] ?? ''));
  const complaints: string[] = [];
  const expectOnly = (name: string, allowed: RegExp) => {
    const sources = directives.get(name) ?? directives.get('default-src');
    if (!sources || sources.length === 0) complaints.push(`the policy has neither ${name} nor default-src`);
    for (const source of sources ?? []) {
      if (!allowed.test(source)) complaints.push(`${name} allows ${source}`);
    }
  };
  const OWN = /^'(self|none)'$/;
  expectOnly('default-src', OWN);
  expectOnly('script-src', isPage ? /^'(self|none|nonce-[\w+/=-]{16,}|sha256-[\w+/=]+)'$/ : /^'none'$/);
  expectOnly('style-src', /^'(self|none|nonce-[\w+/=-]{16,}|sha256-[\w+/=]+)'$/);
  expectOnly('connect-src', OWN);
  expectOnly('object-src', OWN);
  // These directives do not fall back to default-src.
  for (const name of ['base-uri', 'form-action', 'frame-ancestors']) {
    const sources = directives.get(name)?.join(' ');
    const expected = name === 'frame-ancestors' ? /^'none'$/ : OWN;
    if (!expected.test(sources ?? '')) complaints.push(`${name} is ${sources}`);
  }
  return complaints;
}
