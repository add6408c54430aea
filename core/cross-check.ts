/** A check of settings that belong together. */

/**
 * Asked of the settings as they were given, so that it is answered also when single ones are wrong; answers with
 * what is wrong.
 */
export type CrossCheck = (
  given: Readonly<Record<string, string | undefined>>,
) => { readonly path: string; readonly message: string } | undefined;
