import Bowser from 'bowser';
import type { Device } from '$lib/session-view';

const NAME_MAX_CHARACTERS = 40;
const USER_AGENT_MAX_CHARACTERS = 512;

/** Browsers froze what they say of these systems' versions: every Mac is "Catalina", every Windows is 10. */
const FROZEN_VERSIONS = ['macOS', 'Windows'];

/** What a User-Agent header says about the browser. Its text is the visitor's own: escape it wherever it is shown. */
export function deviceOf(userAgent: string | null): Device {
  if (!userAgent) return { browser: null, system: null, kind: 'unknown' };
  const { browser, os, platform } = Bowser.parse(userAgent.slice(0, USER_AGENT_MAX_CHARACTERS));
  return {
    browser: label(browser.name, browser.version?.split('.')[0]),
    system: label(
      os.name,
      FROZEN_VERSIONS.includes(os.name ?? '') ? undefined : (os.versionName ?? os.version),
    ),
    kind: kindOf(platform.type),
  };
}

function label(name: string | undefined, version: string | undefined): string | null {
  if (!name) return null;
  return [name, version].filter(Boolean).join(' ').slice(0, NAME_MAX_CHARACTERS);
}

function kindOf(type: string | undefined): Device['kind'] {
  if (type === 'mobile') return 'phone';
  return type === 'tablet' || type === 'desktop' ? type : 'unknown';
}
