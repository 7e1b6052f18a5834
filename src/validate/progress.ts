/** How a check tells how far it is: between its steps, and it goes on when whoever is told lets it. */
export type OnProgress<Progress> = (progress: Progress) => void | Promise<void>;
