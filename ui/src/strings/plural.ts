// A number with its word, in languages that have one form for one and one for the rest.

export const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;
