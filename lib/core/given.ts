type Given<T> = { [Name in keyof T]?: NonNullable<T[Name]> }

/** What of these was given: null and undefined are left out. */
export const given = <T extends Record<string, unknown>>(values: T): Given<T> =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined),
  ) as Given<T>
