import { getContext, setContext } from 'svelte';
import type { Question } from './question';

const CONTEXT = Symbol('open-page');

/** What is going on in the current page, so that nothing changes the page in the meantime. */
export class OpenPage {
  /** True while the page shows the state before the last action because it could not be reloaded. */
  outdated = $state(false);
  /**
   * Loads the components that ask for the password in a dialog. A page sets it if its forms may need the password. The page must do so
   * itself: if a file that all pages share did it, SvelteKit would leave out the styles that both need.
   */
  loadQuestion: (() => Promise<Pick<Question, 'Field' | 'Dialog'>>) | null = null;
  /**
   * How many responses the page's forms have received. Each response shows its message again, even if the text is the same. `page.form`
   * would not do, because it changes with each load.
   */
  answers = $state(0);
  /** When something that may be under the pointer last moved (`performance.now()`). */
  movedAt = -Infinity;
  private forms = 0;
  private waiting: (() => void)[] = [];

  /** Marks a form as being sent, until the returned function is called. */
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

  /** Resolves when no form is being sent. */
  async quiet(): Promise<void> {
    if (this.forms > 0) await new Promise<void>((go) => this.waiting.push(go));
  }

  /** Reloads the page's data. If that fails, the page stays as it is. Returns whether the data is new. */
  async loadAgain(): Promise<boolean> {
    const load = await import('./load-again').catch(() => null);
    const isNew = (await load?.loadAgain()) ?? false;
    if (isNew) this.outdated = false;
    return isNew;
  }
}

/** Creates the one instance for all pages. Called by the root layout. */
export function provideOpenPage(): OpenPage {
  return setContext(CONTEXT, new OpenPage());
}

/** Returns the instance for the calling component. */
export function useOpenPage(): OpenPage {
  return getContext<OpenPage>(CONTEXT);
}
