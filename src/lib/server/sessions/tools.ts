/**
 * Programs that request pages without a person looking at them, each with its pattern in a user agent. They are checked before all
 * browsers, because bots pretend to be one.
 */
export const TOOLS: [name: string, pattern: RegExp][] = [
  ['Googlebot', /\bGooglebot\b/i],
  ['Bingbot', /\bbingbot\b/i],
  ['curl', /^curl\//i],
  ['Wget', /^wget2?\b/i],
  ['HTTPie', /^(?:httpie|xh)\b/i],
  ['python-requests', /^python-requests\b/i],
  ['httpx', /^python-httpx\b/i],
  ['Python', /^python\b/i],
  ['Go-http-client', /^go-http-client\b/i],
  ['Node.js', /^node(?:$|[-.]?fetch\b|\.js\b|\/)/i],
  ['undici', /^undici\b/i],
  ['axios', /^axios\b/i],
  ['got', /^got\b/i],
  ['Deno', /^deno\//i],
  ['Bun', /^bun\//i],
  ['Postman', /^postmanruntime\b/i],
  ['Insomnia', /^insomnia\b/i],
  ['Bruno', /^bruno-runtime\b/i],
  ['k6', /^k6\//i],
  ['okhttp', /^okhttp\b/i],
  ['Java', /^(?:java|apache-httpclient)\b/i],
  ['Dart', /^dart\b/i],
  ['Ruby', /^(?:ruby|faraday)\b/i],
  ['Perl', /^(?:libwww-perl|lwp)\b/i],
  ['PHP', /^(?:php|guzzlehttp)\b/i],
  ['PowerShell', /PowerShell\//],
  // Crawlers and monitors give a contact URL or call themselves a bot. A CUBOT is a phone.
  ['Bot', /\+https?:\/\/|\bbot\b|(?:(?<!cu)bot|crawler|spider)\//i],
];
