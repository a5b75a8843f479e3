export declare const projectFolder: string
export declare const run: (command: string, args: readonly string[], options?: object) => void
export declare const requireNode: () => void
export declare const installPackages: () => void
export declare const build: () => void
export declare const buildKernels: () => void
