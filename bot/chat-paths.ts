/** Where platforms post to; nothing else of the bot, such as its health, is reachable from outside. */
export const CHAT_PATHS = { slack: '/slack/events', teams: '/api/messages' } as const;
