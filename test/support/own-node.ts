import { delimiter, dirname } from 'node:path'

/** An environment in which `node`, `npm` and `npx` run on the Node that runs the tests, whichever the machine has. */
export const ownNode = (env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv => ({
  ...env,
  PATH: [dirname(process.execPath), env.PATH].join(delimiter),
})
