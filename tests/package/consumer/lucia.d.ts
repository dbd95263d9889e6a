/// <reference types="lucia" />
declare namespace Lucia {
  type Auth = import('./worker.js').Auth;
  type DatabaseUserAttributes = { username: string };
  type DatabaseSessionAttributes = { device: string };
}
