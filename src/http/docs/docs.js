// Shows the OpenAPI description of this server as a page. Draws only; every word comes from the description.

/** @param {string} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {any} description @param {any} schema the schema itself, or what its $ref points at */
function resolve(description, schema) {
  const path = schema?.$ref?.replace('#/', '').split('/');
  return path
    ? path.reduce((/** @type {any} */ part, /** @type {string} */ key) => part?.[key], description)
    : schema;
}

/** @param {any} description @param {any} schema @returns {string} its type in a few words */
function typeName(description, schema) {
  const found = resolve(description, schema);
  if (!found) return '';
  if (found.const !== undefined) return JSON.stringify(found.const);
  if (found.enum) return found.enum.map((/** @type {unknown} */ value) => JSON.stringify(value)).join(' | ');
  const choices = found.anyOf ?? found.oneOf;
  if (choices) return choices.map((/** @type {any} */ choice) => typeName(description, choice)).join(' | ');
  if (found.type === 'array') return `list of ${typeName(description, found.items)}`;
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  return [found.type].flat().join(' | ');
}

/** @param {any} schema @returns {string} what else its value must be */
function limits(schema) {
  const words = [];
  if (schema.default !== undefined && schema.default !== null)
    words.push(`default ${JSON.stringify(schema.default)}`);
  if (schema.maxLength !== undefined) words.push(`at most ${schema.maxLength} characters`);
  if (schema.minimum !== undefined && schema.minimum > Number.MIN_SAFE_INTEGER)
    words.push(`from ${schema.minimum}`);
  if (schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER)
    words.push(`to ${schema.maximum}`);
  return words.join(', ');
}

/** @param {any} description @param {any} schema @param {string} prefix @returns {HTMLElement[]} one row a member */
function memberRows(description, schema, prefix = '') {
  const found = resolve(description, schema);
  const rows = [];
  for (const [name, member] of Object.entries(found?.properties ?? {})) {
    const inner = resolve(description, member);
    const optional = !found.required?.includes(name);
    const text = [inner.description, limits(inner)].filter(Boolean).join(' · ');
    rows.push(
      element(
        'tr',
        {},
        element('td', {}, element('code', {}, prefix + name), optional ? ' (optional)' : ''),
        element('td', {}, typeName(description, member)),
        element('td', {}, text),
      ),
    );
    const nested = inner.type === 'array' ? resolve(description, inner.items) : inner;
    const mark = inner.type === 'array' ? '[].' : '.';
    if (nested?.properties) rows.push(...memberRows(description, nested, `${prefix}${name}${mark}`));
  }
  return rows;
}

/** @param {string} title @param {HTMLElement[]} rows @returns {Node[]} nothing when there are no rows */
function table(title, rows) {
  return rows.length === 0
    ? []
    : [element('h3', {}, title), element('table', {}, element('tbody', {}, ...rows))];
}

/** @param {any} description @param {any} operation */
function parameterRows(description, operation) {
  return (operation.parameters ?? []).map((/** @type {any} */ parameter) =>
    element(
      'tr',
      {},
      element('td', {}, element('code', {}, parameter.name), parameter.required ? '' : ' (optional)'),
      element('td', {}, `${typeName(description, parameter.schema)} in the ${parameter.in}`),
      element(
        'td',
        {},
        [parameter.description ?? parameter.schema?.description, limits(parameter.schema ?? {})]
          .filter(Boolean)
          .join(' · '),
      ),
    ),
  );
}

/** @param {any} operation */
function whoMay(operation) {
  const role = operation['x-role'];
  return role === 'public' ? 'Open to everybody.' : `Needs the role ${role}.`;
}

/** @param {any} description @param {string} method @param {string} path @param {any} operation */
function route(description, method, path, operation) {
  const request = operation.requestBody?.content?.['application/json']?.schema;
  const replies = Object.entries(operation.responses ?? {}).flatMap(([status, response]) => {
    const content = Object.entries(resolve(description, response)?.content ?? {});
    const kind = content[0]?.[0] ?? 'nothing';
    const schema = /** @type {any} */ (content[0]?.[1])?.schema;
    const rows = memberRows(description, schema);
    const title = `Reply ${status} (${kind})`;
    return rows.length > 0 ? table(title, rows) : [element('h3', {}, title)];
  });
  const id = `${method}${path}`.replaceAll(/[^a-z]+/gi, '-');
  return element(
    'details',
    { id },
    element(
      'summary',
      {},
      element('span', { class: `method ${method}` }, method.toUpperCase()),
      element('span', { class: 'path' }, path),
      element('span', { class: 'about' }, operation.summary ?? ''),
    ),
    element(
      'div',
      { class: 'body' },
      element('p', { class: 'about' }, whoMay(operation)),
      ...table('Parameters', parameterRows(description, operation)),
      ...table('Request body (JSON)', memberRows(description, request)),
      ...replies,
    ),
  );
}

/** @param {string} id @returns {HTMLElement} */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}

/** Opens the route that the address names, and scrolls to it. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!(named instanceof HTMLDetailsElement)) return;
  named.open = true;
  named.scrollIntoView({ block: 'start' });
}

/** @param {any} description */
function draw(description) {
  part('title').textContent = `${description.info.title}: API`;
  part('description').textContent = `${description.info.description} Version ${description.info.version}.`;
  const routes = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(/** @type {Record<string, any>} */ (methods)).map(([method, operation]) => ({
      path,
      method,
      operation,
    })),
  );
  const links = element('ul');
  const sections = description.tags.map((/** @type {any} */ tag) => {
    const own = routes.filter(({ operation }) => operation.tags?.includes(tag.name));
    const drawn = own.map(({ path, method, operation }) => route(description, method, path, operation));
    for (const [index, { path, method }] of own.entries())
      links.append(
        element(
          'li',
          {},
          element('a', { href: `#${drawn[index].id}`, class: 'path' }, `${method.toUpperCase()} ${path}`),
        ),
      );
    return element(
      'section',
      {},
      element('h2', {}, tag.name),
      element('p', { class: 'about' }, tag.description),
      ...drawn,
    );
  });
  part('contents').append(links);
  part('routes').replaceChildren(...sections);
  addEventListener('hashchange', openNamed);
  openNamed();
}

try {
  const response = await fetch('/api/openapi.json');
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  draw(await response.json());
} catch (error) {
  part('loading').textContent =
    `The description could not be loaded: ${error instanceof Error ? error.message : error}`;
}
