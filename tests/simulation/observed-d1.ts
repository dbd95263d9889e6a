import { firstWords, takeStep, type D1Counters, type Step, type StepHooks } from './steps';

/**
 * A real D1 with the hooks and counters of the simulated one, so that the same histories can run on both. Pass its statements only to its
 * own `batch`.
 */
export function observeD1(
  real: D1Database,
  hooks: StepHooks = {},
  place = 'D1',
): { db: D1Database; counters: D1Counters; connect: (hooks?: StepHooks, place?: string) => D1Database } {
  const counters: D1Counters = { roundTrips: 0, queries: 0 };
  const observed = new WeakMap<object, Observed>();

  function ask<T>(hooks: StepHooks, place: string, asked: Asked[], effect: () => Promise<T>): Promise<T> {
    counters.roundTrips += 1;
    counters.queries += asked.length;
    const step: Step = {
      store: 'D1',
      op: asked.map(({ sql }) => firstWords(sql)).join('; '),
      key: String(asked[0]?.values[0] ?? ''),
      place,
    };
    return takeStep(hooks, step, effect);
  }

  function connect(clientHooks = hooks, clientPlace = place): D1Database {
    function wrap(statement: D1PreparedStatement, sql: string, values: unknown[]): D1PreparedStatement {
      const self: Observed = { statement, sql, values };
      const wrapped = new Proxy(statement, {
        get(target, name) {
          if (name === 'bind') return (...bound: unknown[]) => wrap(target.bind(...bound), sql, bound);
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== 'function') return method;
          return (...args: unknown[]) =>
            ask(clientHooks, clientPlace, [self], async () => Reflect.apply(method, target, args));
        },
      });
      observed.set(wrapped, self);
      return wrapped;
    }

    return new Proxy(real, {
      get(target, name) {
        if (name === 'prepare') return (sql: string) => wrap(target.prepare(sql), sql, []);
        if (name === 'batch') {
          return (statements: D1PreparedStatement[]) => {
            const asked = statements.map((statement) => observed.get(statement) ?? notObserved());
            return ask(clientHooks, clientPlace, asked, () =>
              target.batch(asked.map(({ statement }) => statement)),
            );
          };
        }
        if (name === 'exec') {
          return (sql: string) =>
            ask(clientHooks, clientPlace, [{ sql, values: [] }], () => target.exec(sql));
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  return { db: connect(), counters, connect };
}

type Asked = { sql: string; values: unknown[] };
type Observed = Asked & { statement: D1PreparedStatement };

function notObserved(): never {
  throw new Error('[simulation] batch() takes statements of this database: prepare them on it');
}
