import { getContext, setContext } from 'svelte';
import type { Question } from './question';

const CONTEXT = Symbol('open-page');

/** What the page in view is in the middle of: so that nothing changes it meanwhile. */
export class OpenPage {
  /** True while it shows what was before the last action, because it could not be loaded again. */
  outdated = $state(false);
  /**
   * What asks for the password in a dialog, of a page that has forms for which it may be needed. The page brings it, and no file that all pages
   * share: SvelteKit would leave out the styles of what both need.
   */
  loadQuestion: (() => Promise<Pick<Question, 'Field' | 'Dialog'>>) | null = null;
  /** How many answers its forms have had: what was said is said anew with each, also if it is the same. `page.form` goes with each load. */
  answers = $state(0);
  /** When something last moved that may lie under a pointer (`performance.now()`). */
  movedAt = -Infinity;
  private forms = 0;
  private waiting: (() => void)[] = [];

  /** A form is under way until the function that this returns is called. */
  formBegins(): () => void {
    this.forms += 1;
    return () => {
      this.forms -= 1;
      if (this.forms === 0) this.waiting.splice(0).forEach((go) => go());
    };
  }

  get hasFormUnderWay(): boolean {
    return this.forms > 0;
  }

  /** Resolves when no form is under way. */
  async quiet(): Promise<void> {
    if (this.forms > 0) await new Promise<void>((go) => this.waiting.push(go));
  }

  /** Loads its data anew; the page stays as it is where that fails. Returns whether the data is new. */
  async loadAgain(): Promise<boolean> {
    const load = await import('./load-again').catch(() => null);
    const isNew = (await load?.loadAgain()) ?? false;
    if (isNew) this.outdated = false;
    return isNew;
  }
}

/** One for all pages; the root layout makes it. */
export function provideOpenPage(): OpenPage {
  return setContext(CONTEXT, new OpenPage());
}

/** That of the calling component. */
export function useOpenPage(): OpenPage {
  return getContext<OpenPage>(CONTEXT);
}
