import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const ROUTES_FOLDER = 'src/routes';
const ROUTE_FILES = ['+page.svelte', '+page.server.ts', '+server.ts'];

/** A route of the app, according to its files. */
export type AppRoute = {
  /** With parameters in brackets: `/api/sessions/[id]`. */
  path: string;
  isPage: boolean;
  /** The names of the page's form actions. */
  actions: string[];
  /** The methods that the endpoint exports. */
  methods: string[];
};

/** Returns all routes, read from the file tree, so that no new route can be forgotten. */
export function appRoutes(): AppRoute[] {
  const routes = readdirSync(ROUTES_FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .concat(ROUTES_FOLDER)
    .flatMap((folder) => {
      const files = readdirSync(folder).filter((name) => ROUTE_FILES.includes(name));
      return files.length > 0 ? [routeOf(folder, files)] : [];
    });
  return routes.sort((a, b) => a.path.localeCompare(b.path));
}

function routeOf(folder: string, files: string[]): AppRoute {
  const path = folder
    .slice(ROUTES_FOLDER.length)
    .replaceAll('\\', '/')
    .replace(/\/\([^)]+\)/g, '');
  const exported = (file: string) => (files.includes(file) ? exportsOf(join(folder, file)) : new Map());
  return {
    path: path || '/',
    isPage: !files.includes('+server.ts'),
    actions: exported('+page.server.ts').get('actions') ?? [],
    methods: [...exported('+server.ts').keys()].filter((name) => /^[A-Z]+$/.test(name)),
  };
}

/** Returns the exported constants of a module. For an object literal, the list holds the names of its properties. */
function exportsOf(file: string): Map<string, string[]> {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = new Map<string, string[]>();
  for (const statement of source.statements) {
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported || !ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (initializer) found.set(name.getText(), propertiesOf(initializer));
    }
  }
  return found;
}

function propertiesOf(expression: ts.Expression): string[] {
  const value = ts.isSatisfiesExpression(expression) ? expression.expression : expression;
  if (!ts.isObjectLiteralExpression(value)) return [];
  return value.properties.flatMap(({ name }) => (name ? [name.getText()] : []));
}
