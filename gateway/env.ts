/** The only reader of the environment in gateway/: the configuration names the variables that it wants. */
export const readEnv = (): Readonly<Record<string, string | undefined>> => process.env
