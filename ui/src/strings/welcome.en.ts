// Words of the first start.

export const en = {
  welcome: {
    title: 'Welcome to Dockline',
    steps: {
      label: 'Steps',
      choose: 'Your registry',
      test: 'The way there',
      push: 'First push',
    },
    looking: 'Looking in ~/.ssh/config and at your containers…',
    proposals: 'This machine seems to know these',
    unnamed: 'A registry',
    yours: 'Which registry is yours?',
    test: 'Test the way there',
    byHand: 'Add with all options',
    team: 'I have a team file…',
    testing: (name: string) => `Testing the way to ${name}`,
    starting: 'Starting…',
    back: 'Back',
    addAnyway: 'Add it anyway',
    pushTitle: (name: string) => `${name} is added. Push something?`,
    setup:
      'One thing is left for docker push in a terminal: this machine has to know the name. Dockline itself pushes without.',
    push: 'These are your newest images. One click sends one there.',
    noImages:
      'There is no image here yet. Build one and it appears under Images, or push an archive that docker save wrote.',
    done: 'Go to my registries',
  },
};
