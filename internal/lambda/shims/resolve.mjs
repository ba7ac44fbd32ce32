// Finds packages for import where require finds them: in the folders of
// NODE_PATH, which Node.js itself does not search for ES modules and AWS's
// runtimes do from nodejs18.x on.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const folders = (process.env.NODE_PATH ?? '').split(path.delimiter).filter(Boolean);
const isPackage = (name) => !/^(\.{0,2}\/|[a-z][a-z0-9+.-]*:|#)/i.test(name);

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (e) {
    if (e?.code !== 'ERR_MODULE_NOT_FOUND' || !isPackage(specifier)) throw e;
    for (const folder of folders) {
      try {
        // Beside a node_modules folder a package is found as a module finds it.
        if (path.basename(folder) === 'node_modules') {
          return await next(specifier, { ...context, parentURL: pathToFileURL(path.join(path.dirname(folder), 'index.mjs')).href });
        }
      } catch {
        // The next folder may have it.
      }
    }
    try {
      const found = createRequire(path.join(process.env.LAMBDA_TASK_ROOT ?? '/', 'index.js')).resolve(specifier);
      return await next(pathToFileURL(found).href, context);
    } catch {
      throw e;
    }
  }
}
