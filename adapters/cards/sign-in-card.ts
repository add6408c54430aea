/** Cards about signing in to AWS; for the eyes of the person who signs in. */
import { bold, type Card, code } from '../card.ts';

/** @param signIn what AWS's own page wants to be opened with, and the code that it shows */
export function signInCard(signIn: { readonly url: string; readonly code: string }): Card {
  return {
    fallback: 'FileFerry needs you to sign in to AWS.',
    elements: [
      { type: 'header', text: 'Sign in to AWS' },
      {
        type: 'text',
        lines: [
          [
            'FileFerry reads S3 with your own rights. Open the page of AWS, and check that it shows this code:',
          ],
          [code(signIn.code)],
        ],
      },
      { type: 'open', label: 'Sign in', url: signIn.url },
      {
        type: 'context',
        lines: [
          [
            'Nobody else got this link. The sign-in stays in memory only, and ends with its time or a restart.',
          ],
        ],
      },
    ],
  };
}

export const signedInCard = (): Card => ({
  fallback: 'You are signed in to AWS.',
  elements: [{ type: 'text', lines: [[bold('You are signed in to AWS.'), ' Please ask me again now.']] }],
});
