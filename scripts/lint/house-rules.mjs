/**
 * Lint rules of this project that oxlint does not have. They read the ESTree with TypeScript's nodes, and are listed in
 * `.oxlintrc.json` under `jsPlugins`.
 */

const BUILT_IN_ERRORS = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'AggregateError',
]);

/** Every error of the program is a class of the catalogue, so that it has a code and a caller can tell it apart. */
const noBareError = {
  meta: { type: 'problem' },
  create: (context) => {
    const check = (node) => {
      const { callee } = node;
      if (callee.type !== 'Identifier' || !BUILT_IN_ERRORS.has(callee.name)) return;
      context.report({ node, message: `Use a class of src/domain/errors.ts instead of a bare ${callee.name}.` });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

const isBoolean = (parameter) => {
  const target = parameter.type === 'AssignmentPattern' ? parameter.left : parameter;
  if (target.type !== 'Identifier') return false;
  if (target.typeAnnotation?.typeAnnotation.type === 'TSBooleanKeyword') return true;
  return parameter.type === 'AssignmentPattern' && typeof parameter.right.value === 'boolean';
};

/**
 * At a call, `page(null, 1, false)` does not say what `false` means; a field of an options object does. A function of one
 * parameter is left alone: that is how the answer of a yes-or-no question is handed on.
 */
const noBooleanParameter = {
  meta: { type: 'suggestion' },
  create: (context) => {
    const check = ({ params }) => {
      if (params.length < 2) return;
      for (const node of params.filter(isBoolean)) {
        context.report({ node, message: 'Pass this boolean as a field of an options object.' });
      }
    };
    return {
      ArrowFunctionExpression: check,
      FunctionDeclaration: check,
      FunctionExpression: check,
      TSFunctionType: check,
      TSMethodSignature: check,
    };
  },
};

export default {
  meta: { name: 'house' },
  rules: { 'no-bare-error': noBareError, 'no-boolean-parameter': noBooleanParameter },
};
