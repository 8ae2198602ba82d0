// OpenAPI's schemas as short texts. Pure.

/** Deeper than this, a shape is named instead of drawn. */
const DEEPEST = 4;

const nameOf = (schema) => schema.$ref?.split("/").pop();

/** A type in a word or two: "integer, 1 to 1000", "ERROR or WARN", "text or null". */
export function typeOf(schema) {
  const named = nameOf(schema);
  if (named !== undefined) return named;
  if (schema.enum !== undefined) return schema.enum.map((value) => String(value)).join(" | ");
  const types = [schema.type ?? "any"].flat().join(" | ");
  const range = schema.maximum === undefined ? "" : `, ${schema.minimum} to ${schema.maximum}`;
  const usual = schema.default === undefined ? "" : `, ${schema.default} without it`;
  const like = schema.examples === undefined ? "" : `, such as ${schema.examples.join(", ")}`;
  return types + range + usual + like;
}

/** What it looks like, as indented lines; a name that stands in itself is not drawn again. */
export function example(schema, schemas, indent = "", above = []) {
  const named = nameOf(schema);
  if (named !== undefined) {
    if (above.includes(named) || above.length >= DEEPEST) return named;
    return example(schemas[named] ?? {}, schemas, indent, [...above, named]);
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => example(one, schemas, indent, above)).join(" or ");
  if (schema.type === "array") return `[ ${example(schema.items, schemas, indent, above)}, … ]`;
  const members = Object.entries(schema.properties ?? {});
  if (members.length === 0) return schema.type === "object" ? "{ … }" : typeOf(schema);
  const deeper = `${indent}  `;
  const lines = members.map(([name, of]) => `${deeper}${name}: ${example(of, schemas, deeper, above)}`);
  return `{\n${lines.join("\n")}\n${indent}}`;
}

/** The operations of a document, in its order. */
export function operations(spec) {
  const { schemas } = spec.components;
  const shapes = (content = {}) => Object.entries(content).map(([media, { schema }]) =>
    ({ media, shape: schema.$ref === undefined ? "" : example(schema, schemas) }));
  return Object.entries(spec.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({
    id: operation.operationId,
    tag: operation.tags[0],
    method,
    path,
    summary: operation.summary,
    parameters: (operation.parameters ?? []).map((parameter) => ({
      name: parameter.name,
      place: parameter.in,
      type: typeOf(parameter.schema),
      about: parameter.description ?? "",
    })),
    sent: shapes(operation.requestBody?.content),
    answered: shapes(operation.responses["200"].content),
  })));
}
