/* Stands for the libraries that Visdom's page loads and that no pane of ours needs. */
